// Shows each time in the viewer's zone, with UTC on hover. Without it the page says the same in UTC. Times on axes stay UTC, as the axis says.
const utc = / UTC$/;
const local = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });
const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });
const today = local.format(new Date()).slice(0, 10);

for (const time of document.querySelectorAll("time[datetime]")) {
  const text = time.textContent;
  const at = new Date(time.dateTime);
  const name = zone.formatToParts(at).find((part) => part.type === "timeZoneName").value;
  if (!utc.test(text) || Number.isNaN(at.getTime()) || name === "UTC") continue;
  const [day, clock] = local.format(at).split(" ");
  const withDay = /^\d{4}-/.test(text) || day !== today;
  time.title = text;
  time.textContent = `${withDay ? `${day} ` : ""}${clock} ${name}`;
}
