// What is wrong with how the page looks now, a sentence each.
(() => {
  const wrong = [];
  const told = (el) => `${el.tagName.toLowerCase()}.${el.getAttribute('class') || ''} "${(el.textContent || '').trim().slice(0, 40)}"`;
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const light = (color) => {
    const part = (n) => { n /= 255; return n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4; };
    const [r, g, b] = numbers(color);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (el) => {
    for (; el; el = el.parentElement) {
      const color = getComputedStyle(el).backgroundColor;
      const alpha = numbers(color)[3];
      if (alpha === undefined || alpha === 1) return color;
      if (alpha !== 0) wrong.push(`${told(el)}: its background is half seen through, ${color}`);
    }
    return 'rgb(255, 255, 255)';
  };
  const contrast = (a, b) => {
    const [more, less] = [light(a), light(b)].sort((x, y) => y - x);
    return (more + 0.05) / (less + 0.05);
  };
  const measure = (el, color, least, what) => {
    const ratio = contrast(color, behind(el));
    if (ratio < least) wrong.push(`${told(el)}: ${what} has a contrast of ${ratio.toFixed(2)}`);
  };
  let measured = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const el = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || el.namespaceURI.endsWith('svg')) continue;
    measured++;
    const style = getComputedStyle(el);
    measure(el, style.color, 4.5, 'its text');
    if (style.opacity !== '1') wrong.push(`${told(el)}: it is half seen through`);
  }
  for (const cell of document.querySelectorAll('td')) {
    if (!['none', 'normal'].includes(getComputedStyle(cell, '::before').content)) measure(cell, getComputedStyle(cell, '::before').color, 4.5, 'its label');
  }
  for (const line of document.querySelectorAll('.chart polyline, .chart circle')) measure(line.closest('svg'), getComputedStyle(line).color, 3, 'its line');
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`the page is ${document.documentElement.scrollWidth} wide, in ${innerWidth}`);
  for (const el of document.body.querySelectorAll('*')) {
    const box = el.getBoundingClientRect();
    if (!el.closest('.scroll table, .unseen, .skip, svg, thead') && box.width && (box.right > innerWidth + 1 || box.left < -1)) wrong.push(`${told(el)}: it reaches from ${box.left} to ${box.right}, in ${innerWidth}`);
  }
  if (!measured) wrong.push('no text was measured');
  return wrong;
})()
