// React Email templates, written with createElement so that nothing has to compile JSX.
import { createElement as h } from "react";
import { Body, Button, Column, Container, Head, Heading, Hr, Html, Img, Link, Preview, Row, Section, Text, CodeInline, Markdown, Tailwind } from "@react-email/components";

export const templates = {
  welcome: h(Html, null, h(Head), h(Preview, null, "Shrouded welcome preview of the team"), h(Body, { style: { backgroundColor: "#ffffff" } }, h(Container, null,
    h(Img, { src: "https://img.example/logo.png", width: 170, height: 50, alt: "Koala" }), h(Text, null, "Hi Alan,"),
    h(Text, null, "Welcome to Koala, the sales intelligence platform that helps you uncover qualified leads."),
    h(Section, { style: { textAlign: "center" } }, h(Button, { href: "https://koala.example/start", style: { backgroundColor: "#5F51E8", color: "#fff", padding: 12 } }, "Get started")),
    h(Text, null, "Best,", h("br"), "The Koala team"), h(Hr), h(Text, { style: { color: "#8898aa", fontSize: 12 } }, "470 Noor Ave, South San Francisco")))),
  receipt: h(Html, null, h(Head), h(Preview, null, "Blanked receipt preview"), h(Body, null, h(Container, null,
    h(Section, null, h(Row, null, h(Column, null, h(Img, { src: "https://img.example/apple.png", width: 42, height: 42, alt: "Store" })), h(Column, { align: "right" }, h(Text, { style: { fontSize: 32 } }, "Receipt")))),
    h(Section, { style: { backgroundColor: "rgb(250,250,250)" } }, h(Row, null, h(Column, { colSpan: 2 },
      h(Section, null, h(Row, null, h(Column, null, h(Text, null, "APPLE ID"), h(Link, { href: "mailto:alan@example.org" }, "alan@example.org"))), h(Row, null, h(Column, null, h(Text, null, "INVOICE DATE"), h(Text, null, "18 Jan 2026"))))),
      h(Column, { colSpan: 2 }, h(Text, null, "BILLED TO"), h(Text, null, "Visa .... 7461"), h(Text, null, "Alan Turing"), h(Text, null, "Manchester")))),
    h(Section, null, h(Text, null, "App Store")),
    h(Section, null, h(Row, null, h(Column, { style: { width: 64 } }, h(Img, { src: "https://img.example/hbo.png", width: 64, height: 64, alt: "Streaming" })),
      h(Column, { style: { paddingLeft: 22 } }, h(Text, null, "Streaming films and series"), h(Text, null, "Yearly plan"), h(Text, null, "Renews 20 Aug 2026")),
      h(Column, { align: "right", style: { width: 100 } }, h(Text, null, "$14.99")))),
    h(Hr), h(Section, { align: "right" }, h(Row, null, h(Column, { align: "right" }, h(Text, null, "TOTAL")), h(Column, { style: { width: 90 } }, h(Text, null, "$14.99"))))))),
  login: h(Html, null, h(Tailwind, null, h(Head), h(Preview, null, "Withheld login preview"), h(Body, { className: "bg-white font-sans" }, h(Container, null,
    h(Heading, { className: "text-black text-2xl" }, "Login"), h(Link, { href: "https://note.example/magic", className: "text-blue-600 underline" }, "Click here to log in with this magic link"),
    h(Text, null, "Or, copy and paste this temporary login code:"), h(CodeInline, null, "sparo-ndigo-amurt-secan"),
    h(Section, { className: "bg-black p-5" }, h(Text, { className: "text-white" }, "If you did not try to log in, ignore this message.")))))),
  notes: h(Html, null, h(Head), h(Preview, null, "Muffled notes preview"), h(Body, null, h(Container, null, h(Markdown, null,
    "# Meeting notes\n\nWe met on **Monday** and decided:\n\n1. The garden gets a *pond*.\n2. The shed stays.\n\n> Nobody objected.\n\n[Minutes](https://notes.example/m)\n\n`budget` is open.")))),
};
