// Compiles the templates beside it and asks Chromium which words a person would see: see README.md.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";


const require = createRequire(join(process.cwd(), "x.js"));
const here = resolve(process.argv[2]);
const sources = (folder, ending) => readdirSync(join(here, folder)).filter((name) => name.endsWith(ending)).map((name) => join(here, folder, name));
const write = (source, html) => writeFileSync(source.replace(/\.\w+$/, ".html"), html.replaceAll(/[ \t]+$/gm, "").trimEnd() + "\n");

const compilers = {
  async mjml() {
    const { default: mjml2html } = await import(require.resolve("mjml"));
    for (const source of sources("mjml", ".mjml")) write(source, mjml2html(readFileSync(source, "utf8")).html);
  },
  foundation() {
    const { Inky } = require("inky"), cheerio = require("cheerio"), juice = require("juice");
    const css = readFileSync("node_modules/foundation-emails/dist/foundation-emails.css", "utf8");
    const inky = new Inky({});
    for (const source of sources("foundation", ".inky")) {
      const body = inky.releaseTheKraken(readFileSync(source, "utf8"));
      const page = `<!DOCTYPE html><html><head><meta charset="utf-8"><title>x</title></head><body><table class="body"><tr><td class="center" align="center" valign="top"><center>${body}</center></td></tr></table></body></html>`;
      write(source, juice.inlineContent(page, css));
    }
  },
  async heml() {
    const heml = require("heml");
    for (const source of sources("heml", ".heml")) write(source, (await heml(readFileSync(source, "utf8"), { validate: "soft", juice: {}, elements: [] })).html);
  },
  async maizzle() {
    const { render } = await import("@maizzle/framework");
    for (const source of sources("maizzle", ".vue")) {
      copyFileSync(source, "template.vue"); // it finds its packages from where the template lies
      write(source, (await render(resolve("template.vue"), { css: { inline: true, purge: true } })).html);
    }
  },
  async react() {
    const { render } = await import("@react-email/render");
    copyFileSync(join(here, "react", "templates.mjs"), "templates.mjs");
    const { templates } = await import(resolve("templates.mjs"));
    for (const [name, element] of Object.entries(templates)) writeFileSync(join(here, "react", `${name}.html`), (await render(element, { pretty: true })).trimEnd() + "\n");
  },
};

// Runs inside Chromium: sorts the words of the page by whether a person would see them.
function judge() {
  const shown = [], hidden = [];
  const opaque = (colour) => { const parts = colour.match(/[\d.]+/g).map(Number); return parts.length < 4 || parts[3] > 0 ? parts.slice(0, 3).join() : null; };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const words = walk.currentNode.data.replaceAll(/[\u034f\u00ad\u200b-\u200f\u2007\ufeff]/g, "").split(/\s+/).filter(Boolean);
    if (!words.length || walk.currentNode.parentElement.closest("script, style, title, template, select, textarea")) continue;
    const range = document.createRange(); range.selectNodeContents(walk.currentNode);
    const style = getComputedStyle(walk.currentNode.parentElement);
    let seen = [...range.getClientRects()].some((box) => box.width > 0 && box.height > 0) && style.visibility === "visible" && parseFloat(style.fontSize) > 1;
    let ground = null, picture = false;
    for (let element = walk.currentNode.parentElement; element; element = element.parentElement) {
      const look = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      if (look.opacity === "0" || (look.overflow !== "visible" && (box.width === 0 || box.height === 0) && look.display !== "inline")) seen = false;
      if (ground === null && !picture) { picture = look.backgroundImage !== "none"; ground = picture ? null : opaque(look.backgroundColor); }
    }
    const ink = opaque(style.color);
    if (ink === null || (!picture && ink === (ground ?? "255,255,255"))) seen = false;
    (seen ? shown : hidden).push(...words);
  }
  document.documentElement.innerHTML = `<body><pre id="words"></pre></body>`;
  document.getElementById("words").textContent = JSON.stringify({ shown, hidden });
}

function words(file) {
  const page = join(mkdtempSync(join(tmpdir(), "words-")), "page.html");
  const html = readFileSync(file, "utf8").replaceAll("https://", "x-nothing://");
  writeFileSync(page, html + `<script>(${judge})()</script>`);
  const dom = execFileSync("chromium", ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1000,2000", "--virtual-time-budget=2000", "--dump-dom", `file://${page}`], { stdio: ["ignore", "pipe", "ignore"] }).toString();
  const found = dom.match(/<pre id="words">(.*?)<\/pre>/s)[1].replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&").replaceAll("x-nothing://", "https://");
  return JSON.parse(found);
}

const wanted = process.argv.slice(3);
for (const [name, compile] of Object.entries(compilers)) if (!wanted.length || wanted.includes(name)) {
  try { await compile(); } catch (error) { console.error(name, error); }
}
const all = {};
for (const folder of [...Object.keys(compilers), "hand"]) for (const file of sources(folder, ".html")) all[`${folder}/${basename(file)}`] = words(file);
writeFileSync(join(here, "words.json"), JSON.stringify(all, null, 1) + "\n");
