// What is wrong with the page as it is shown now: a list of sentences, empty where nothing is.
(() => {
  const faults = [];
  const name = (element) => `${element.tagName.toLowerCase()} "${(element.textContent || element.name || '').trim().slice(0, 40)}"`;
  const shown = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const clipped = (element) => getComputedStyle(element).clipPath !== 'none' || !!element.closest('.unseen, .skip, .cards thead') && getComputedStyle(element.closest('.unseen, .skip, .cards thead')).clipPath !== 'none';

  const width = document.documentElement.scrollWidth;
  if (width > innerWidth) faults.push(`the page is ${width} px wide in a window of ${innerWidth}`);
  for (const element of document.querySelectorAll('body *')) {
    const box = element.getBoundingClientRect();
    if (box.right > innerWidth + 1 && shown(element) && !clipped(element) && !element.closest('.scroll, .prose table')) faults.push(`${name(element)} reaches to ${Math.round(box.right)} px`);
  }

  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? [0, 0, 0, 255] : [255, 255, 255, 255];
  };
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [more, less] = [light(one), light(other)].sort((a, b) => b - a);
    return (more + 0.05) / (less + 0.05);
  };
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, (node) => (node.data.trim() ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_REJECT));
  while (words.nextNode()) {
    const element = words.currentNode.parentElement;
    if (!shown(element) || clipped(element) || element.closest('svg')) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 700);
    const ratio = contrast(rgba(style.color), behind(element));
    if (ratio < (large ? 3 : 4.5)) faults.push(`${name(element)} has a contrast of ${ratio.toFixed(2)}`);
    if (size < 11.5) faults.push(`${name(element)} is ${size} px small`);
  }
  for (const line of document.querySelectorAll('svg .line, svg .zero')) {
    const ratio = contrast(rgba(getComputedStyle(line).stroke), behind(line));
    if (ratio < 3) faults.push(`a line of the chart has a contrast of ${ratio.toFixed(2)}`);
  }

  for (const element of document.querySelectorAll('button, summary, select, input:not([type=hidden]), textarea, .button, .tiles a, nav a')) {
    if (!shown(element) || clipped(element)) continue;
    const box = element.getBoundingClientRect();
    const least = element.closest('.actions') ? 44 : 24;
    if (box.width < least || box.height < least) faults.push(`${name(element)} is a target of ${Math.round(box.width)} x ${Math.round(box.height)} px`);
  }
  for (const element of document.querySelectorAll('select, input:not([type=hidden]), textarea')) {
    if (!element.labels.length) faults.push(`${name(element)} has no label`);
  }
  for (const mark of document.querySelectorAll('.mark')) {
    if (!/[A-Z]{2}/.test(mark.textContent) || !mark.querySelector('[aria-hidden]')) faults.push(`${name(mark)} is a state without its word or its sign`);
  }
  for (const picture of document.querySelectorAll('svg:not([aria-hidden])')) {
    if (!picture.querySelector('title') || !picture.querySelector('desc')) faults.push('a picture has no title or description');
  }

  const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map((heading) => Number(heading.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1) faults.push('there is not one h1');
  levels.forEach((level, at) => at && level > levels[at - 1] + 1 && faults.push(`an h${level} follows an h${levels[at - 1]}`));
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => faults.push(`the id ${id} is there twice`));
  for (const element of document.querySelectorAll('[aria-labelledby]')) {
    element.getAttribute('aria-labelledby').split(' ').filter((id) => !document.getElementById(id)).forEach((id) => faults.push(`a label ${id} is missing`));
  }
  if (document.querySelector('meta[name=viewport]')?.content !== 'width=device-width, initial-scale=1') faults.push('a phone would show the page small');
  if (!document.title || !document.documentElement.lang) faults.push('the page has no title or no language');
  return faults;
})();
