// What is wrong with the page as it stands: text that is cut off, covered, outside of its tile or too pale. Returns sentences.
() => {
  const found = [];
  const wide = document.documentElement;
  if (wide.scrollWidth > innerWidth) found.push(`the page is ${wide.scrollWidth} px wide, the window ${innerWidth}`);
  if (innerWidth > 700 && innerHeight > 560 && wide.scrollHeight > innerHeight) found.push(`the page is ${wide.scrollHeight} px high, the window ${innerHeight}`);

  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    if (!node.textContent.trim() || parent.closest("dialog, noscript, script, symbol, .unseen") || !parent.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const word of node.textContent.matchAll(/[^\s]+/g)) {
      const letters = document.createRange();
      letters.setStart(node, word.index);
      letters.setEnd(node, word.index + word[0].length);
      if (!/[-/:.,]/.test(word[0].slice(0, -1)) && new Set([...letters.getClientRects()].map((box) => Math.round(box.top))).size > 1) found.push(`“${word[0]}” is broken`);
    }
    for (const box of range.getClientRects()) texts.push({ text: node.textContent.trim(), parent, box });
  }
  const slack = 1.5;
  // Of a line's height a part is empty: above, and below where no letter goes down.
  const below = (text) => (/[gjpqy]/.test(text) ? 0.04 : /[,;]/.test(text) ? 0.1 : 0.15);
  const inner = (box, text) => ({
    left: box.left + slack, right: box.right - slack, top: box.top + 0.2 * box.height, bottom: box.bottom - below(text) * box.height,
  });
  for (const { text, parent, box } of texts) {
    const tile = parent.closest(".tile, .notice, #facts li, #boards a, button");
    if (tile) {
      const around = tile.getBoundingClientRect();
      if (box.left < around.left - slack || box.right > around.right + slack || box.top < around.top - slack || box.bottom > around.bottom + slack)
        found.push(`“${text}” sticks out of its box`);
    }
    if (box.left < -slack || box.right > innerWidth + slack) found.push(`“${text}” sticks out of the window`);
  }
  for (let one = 0; one < texts.length; one += 1) {
    for (let other = one + 1; other < texts.length; other += 1) {
      const a = inner(texts[one].box, texts[one].text);
      const b = inner(texts[other].box, texts[other].text);
      if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
        found.push(`“${texts[one].text}” and “${texts[other].text}” lie on each other`);
    }
  }
  for (const element of document.querySelectorAll("header *, main *, footer *, #notices *")) {
    if (element.closest("svg, .unseen")) continue;
    const style = getComputedStyle(element);
    if (style.overflowX !== "visible" && element.scrollWidth > element.clientWidth + slack) found.push(`<${element.className || element.tagName}> is cut off at the side`);
    if (style.overflowY !== "visible" && element.scrollHeight > element.clientHeight + slack) found.push(`<${element.className || element.tagName}> is cut off below`);
  }
  const tiles = [...document.querySelectorAll(".tile")].map((tile) => tile.getBoundingClientRect());
  tiles.forEach((a, one) => tiles.slice(one + 1).forEach((b) => {
    if (a.left < b.right - slack && b.left < a.right - slack && a.top < b.bottom - slack && b.top < a.bottom - slack) found.push("two tiles lie on each other");
  }));

  // Contrast as WCAG 2 defines it; of stripes both colours count.
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).slice(0, 3).map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const grounds = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      const stripes = style.backgroundImage.match(/rgba?\([^)]*\)/g);
      if (stripes) return stripes;
      const [, , , alpha = 1] = channels(style.backgroundColor);
      if (alpha === 1) return [style.backgroundColor];
    }
    return ["rgb(255, 255, 255)"];
  };
  for (const { text, parent } of texts) {
    const style = getComputedStyle(parent);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    for (const ground of grounds(parent)) {
      const [light, dark] = [luminance(style.color), luminance(ground)].sort((a, b) => b - a);
      const contrast = (light + 0.05) / (dark + 0.05);
      if (contrast < (large ? 3 : 4.5)) found.push(`“${text}” has a contrast of ${contrast.toFixed(2)}: ${style.color} on ${ground}`);
    }
  }
  for (const element of document.querySelectorAll("*")) {
    const style = getComputedStyle(element);
    if (parseFloat(style.transitionDuration) > 0 || style.animationName !== "none") found.push(`<${element.tagName}> moves`);
  }
  return [...new Set(found)];
}
