// Saves reloads, nothing more: everything here also works by plain forms and links.
"use strict";

(() => {
  // Parts of the page that are replaced as a whole when they differ. The dialog changes only when its reader asked for it.
  const PARTS = ["banner", "nav", "notification", "conversation-header", "faults", "sockets", "channel-acts"];
  const LISTS = ["messages", "thread-messages"];

  // Messages that did not change keep their elements, and so an open menu, a focus, a selection.
  function mergeList(old, fresh) {
    const known = new Map([...old.children].map((child) => [child.id, child]));
    const kept = [...fresh.children].map((child) => {
      const same = child.id && known.get(child.id);
      return same && same.dataset.version === child.dataset.version ? same : document.adoptNode(child);
    });
    if (kept.length !== old.children.length || kept.some((child, at) => old.children[at] !== child)) {
      const focused = document.activeElement;
      old.replaceChildren(...kept);
      if (focused && old.contains(focused)) focused.focus({ preventScroll: true });
    }
  }

  function merge(text, parts) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const sameThread = !!document.getElementById("thread-messages") === !!fresh.getElementById("thread-messages");
    if (!sameThread || !fresh.getElementById("main") || !document.getElementById("messages") !== !fresh.getElementById("messages")) {
      return false;
    }
    for (const id of LISTS) {
      const old = document.getElementById(id);
      const now = fresh.getElementById(id);
      if (old && now) mergeList(old, now);
    }
    for (const id of parts) {
      const old = document.getElementById(id);
      const now = fresh.getElementById(id);
      if (old && now && old.innerHTML !== now.innerHTML) old.replaceChildren(...now.childNodes);
    }
    document.title = fresh.title;
    const dialog = document.querySelector("#dialog [autofocus]");
    if (dialog && !document.querySelector("#dialog").contains(document.activeElement)) dialog.focus();
    return true;
  }

  let reading = false;
  let again = false;
  async function readAgain() {
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    do {
      again = false;
      try {
        const answer = await fetch(location.href, { headers: { accept: "text/html" } });
        if (answer.ok && !merge(await answer.text(), PARTS)) location.reload();
      } catch {
        // The stand-in is away; its next news bring us up to date.
      }
    } while (again);
    reading = false;
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!("live" in form.dataset)) return;
    event.preventDefault();
    const button = event.submitter;
    if (button) button.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      const text = await answer.text();
      const here = new URL(answer.url);
      const moved = here.searchParams.get("channel") !== new URL(location.href).searchParams.get("channel") ||
        here.searchParams.get("as") !== new URL(location.href).searchParams.get("as");
      if (moved || !merge(text, [...PARTS, "dialog"])) {
        location.assign(answer.url);
        return;
      }
      form.reset();
      form.closest("details.menu")?.removeAttribute("open");
    } catch {
      form.submit();
    } finally {
      if (button) button.removeAttribute("aria-busy");
    }
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) {
      event.preventDefault();
      document.getElementById("dialog").replaceChildren();
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.getElementById("dialog").replaceChildren();
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    }
  });

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-pick]");
    if (form) form.requestSubmit();
  });

  // A browser holds few connections to one host, so a page that nobody sees gives its own back.
  let news = null;
  function listen() {
    if (news || document.hidden) return;
    news = new EventSource("/news");
    news.onopen = readAgain;
    news.onmessage = readAgain;
  }
  function rest() {
    news?.close();
    news = null;
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
  window.addEventListener("pagehide", rest);
  window.addEventListener("pageshow", listen);
})();
