import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import "./browser.mjs";

const { Markdown, safeHref } = await import("../src/chat/Markdown.tsx");
const html = (text) => renderToStaticMarkup(createElement(Markdown, { text }));

test("Markdown: HTML is text", () => {
  for (const text of [
    "<img src=x onerror=alert(1)>",
    "a <script>alert(1)</script> b",
    "<style>*{display:none}</style>",
    "- <iframe src='//x'></iframe>",
    "| <b>a</b> | b |\n|---|---|\n| <object> | c |",
  ]) {
    assert.doesNotMatch(html(text), /<(img|script|style|iframe|b|object)[ >]/, text);
  }
});

test("Markdown: an image is a link, so that nothing is loaded", () => {
  const shown = html("![secret](https://evil.example/p.png?q=1)");
  assert.doesNotMatch(shown, /<img/);
  assert.match(shown, /<a href="https:\/\/evil\.example\/p\.png\?q=1" target="_blank" rel="noopener noreferrer nofollow">secret<\/a>/);
});

test("safeHref: only the web and mail", () => {
  for (const href of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "/graphql", "//evil.example", "java\nscript:alert(1)", "blob:x"]) {
    assert.equal(safeHref(href), null, href);
  }
  assert.equal(safeHref("https://example.com/a b"), "https://example.com/a%20b");
  assert.equal(safeHref("mailto:a@example.com"), "mailto:a@example.com");
});

test("Markdown: what replies contain", () => {
  assert.match(html("**a** *b* ~~c~~ `d<e`"), /<strong>a<\/strong> <em>b<\/em> <del>c<\/del> <code>d&lt;e<\/code>/);
  assert.match(html("3. x\n4. y"), /<ol start="3"><li dir="auto" value="3">x<\/li><li dir="auto" value="4">y<\/li><\/ol>/);
  assert.match(html("- [x] done\n- [ ] open"), /<input type="checkbox" disabled="" aria-label="done" checked=""\/>/);
  assert.match(html("```js\nlet a = '<b>';\n```"), /<pre dir="ltr" tabindex="0"><code>let a = &#x27;&lt;b&gt;&#x27;;<\/code><\/pre>/);
  assert.match(html("| a | b |\n|---|---|\n| 1 | 2 |"), /<th dir="auto">a<\/th>.*<td dir="auto">2<\/td>/);
  assert.match(html("# Title"), /<h2 dir="auto">Title<\/h2>/);
  assert.match(html("AT&amp;T &lt;b&gt;"), /AT&amp;T &lt;b&gt;/);
});

test("Markdown: items of a numbered list keep their numbers, and the list may follow a colon", () => {
  const numbers = (text) => [...html(text).matchAll(/<li [^>]*value="(\d+)"/g)].map(([, number]) => Number(number));
  assert.deepEqual(numbers("You have 3 open tasks:\n3. a\n1. b\n12. c"), [3, 1, 12]);
  assert.deepEqual(numbers("Offen：\n7) a"), [7]);
  assert.deepEqual(numbers("```\nx:\n3. a\n```"), []);
  assert.deepEqual(numbers("It was in\n1984. Then"), []);
  assert.match(html("These:\n1. a\n2. b\nWhich one?"), /<\/ol><p dir="auto">Which one\?<\/p>/);
  assert.match(html("```\n- a\nb\n```"), /<code>- a\nb<\/code>/);
});

test("Markdown: an unfinished text is shown, too", () => {
  for (const text of ["```js\nlet a", "**bo", "[li", "| a | b |\n|--", "- "]) assert.ok(html(text).length > 20, text);
});

test("Markdown: a text made to be slow is not", () => {
  const began = process.cpuUsage();
  for (const text of ["[".repeat(8_000), "*a ".repeat(5_000), "[a](".repeat(2_000), "![a](x".repeat(2_000), "_a ".repeat(5_000), "`".repeat(8_000), "<".repeat(8_000), "> ".repeat(300)]) html(text);
  const { user } = process.cpuUsage(began);
  assert.ok(user < 5_000_000, `${user / 1e6} s of processor time`);
});
