// What is wrong with how the page is built, a sentence each.
(() => {
  const wrong = [];
  const all = [...document.querySelectorAll('*')];
  const known = new Set(('html head meta link style title body a header main footer section article p h1 h2 h3 div span bdi br ol ul li dl dt dd ' +
    'table caption thead tbody tr th td details summary figure figcaption pre strong time svg desc line polyline circle').split(' '));
  for (const el of all) {
    if (!known.has(el.localName)) wrong.push(`<${el.localName}> is no element of ours`);
    for (const a of el.attributes) {
      if (a.name.startsWith('on') || a.name === 'style') wrong.push(`<${el.localName}> has ${a.name}`);
      if (['src', 'href'].includes(a.name) && !/^(#[\w-]+|data:,|\.\.?\/.*)$/.test(a.value)) wrong.push(`<${el.localName}> leads to ${a.value}`);
      if (['aria-labelledby', 'aria-describedby'].includes(a.name)) {
        for (const id of a.value.split(' ')) if (!document.getElementById(id)) wrong.push(`${a.name} names ${id}, which is not there`);
      }
    }
  }
  const ids = all.map((el) => el.id).filter(Boolean);
  if (new Set(ids).size !== ids.length) wrong.push('an id is there twice');
  for (const [what, n] of [['main', 1], ['h1', 1], ['header', 1], ['title', 1 + document.querySelectorAll('svg').length]]) {
    if (document.querySelectorAll(what).length !== n) wrong.push(`there are ${document.querySelectorAll(what).length} of ${what}, not ${n}`);
  }
  let level = 0;
  for (const h of document.querySelectorAll('h1, h2, h3')) {
    const own = Number(h.localName[1]);
    if (own > level + 1) wrong.push(`the heading "${h.textContent.trim()}" leaves out a level`);
    level = own;
  }
  for (const t of document.querySelectorAll('table')) if (!t.caption || !t.caption.textContent.trim()) wrong.push('a table has no caption');
  for (const s of document.querySelectorAll('svg')) if (s.getAttribute('role') !== 'img' || !s.querySelector('title').textContent || !s.querySelector('desc').textContent) wrong.push('a picture says nothing');
  for (const b of document.querySelectorAll('.badge')) if (!/[A-Z]{4}/.test(b.textContent)) wrong.push(`an outcome has no word: ${b.textContent}`);
  if (!document.documentElement.lang) wrong.push('the page says no language');
  return wrong;
})()
