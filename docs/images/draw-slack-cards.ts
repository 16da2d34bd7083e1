import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { KnownBlock } from "@slack/types";
import type { Home } from "../../src/chat/conversation/home.ts";
import type { Card } from "../../src/service/views/card.ts";
import { cardMessage } from "../../src/chat/slack/views/cards.ts";
import { homeBlocks } from "../../src/chat/slack/views/home-view.ts";
import { cardOf } from "../../test/wording/support/cards.ts";

// Draws the pictures beside it from the blocks that are sent to Slack. Needs chromium, and a folder where
// `npm install slack-blocks-to-jsx@1.1.1 react@19 react-dom@19` was run: node docs/images/draw-slack-cards.ts FOLDER

const request = {
  id: "jit_xyz789abcdef0123",
  reason: "Orders are stuck since the deployment, INC-42",
  ticket: "INC-42",
  risk: { score: 40, factors: [{ name: "production", points: 40 }] },
};
const asked: Card = cardOf(request, {
  askedAs: ["group:dba"],
  lastDecision: { status: "COMPLETED", at: "2026-01-12T09:10:00.000Z", byName: "Bob", reason: null },
  actions: ["approve", "deny", "approve_for_less", "details"],
});
const active: Card = cardOf(
  {
    ...request,
    status: "ACTIVE",
    approvals: [{ stage: 1, required: 2, given: 2 }],
    approvers: asked.request.approvers.map((one) => ({ ...one, status: "APPROVED" })),
    startedAt: "2026-01-15T10:40:00.000Z",
    expiresAt: "2026-01-15T12:40:00.000Z",
  },
  { audience: "requester", actions: ["extend", "done", "replace_credential"] },
);
const section = (
  id: "to_decide" | "active",
  title: string,
  empty: string,
  entries: Home["sections"][number]["entries"],
) => ({
  id,
  title,
  entries,
  empty,
  isCut: false,
});
const home: Home = {
  lead: [["Hello ", { said: "Bob" }, "."]],
  buttons: ["request_access", "break_glass", "help"],
  sections: [
    section("to_decide", "To decide", "", [
      { line: [{ said: "Dev" }, ": read:prod:orders-db for 2 hours · 23 hours to decide"], card: asked },
    ]),
    section("active", "Active", "You have no access at the moment.", []),
  ],
};

const pictures: readonly (readonly [name: string, blocks: readonly KnownBlock[], height: number])[] = [
  ["slack-approval", cardMessage(asked).blocks, 490],
  ["slack-active", cardMessage(active).blocks, 420],
  ["slack-home", homeBlocks(home), 420],
];

const installed = resolve(process.argv[2] ?? ".");
const folder = mkdtempSync(join(tmpdir(), "cards-"));
const { resolve: find } = createRequire(join(installed, "package.json"));
const style = readFileSync(find("slack-blocks-to-jsx/dist/style.css"), "utf8");
// The library is no part of this program, so the drawing is a small script of its own beside it.
const script = join(installed, "draw.mjs");
writeFileSync(
  script,
  `import { readFileSync, writeFileSync } from "node:fs";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { Message } from "slack-blocks-to-jsx";
const { blocks, page, style } = JSON.parse(readFileSync(0, "utf8"));
const logo = "data:image/svg+xml," + encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9" rx="2" fill="#1d3557"/></svg>');
const message = createElement(Message, { blocks, name: "JIT access", logo, time: new Date("2026-01-15T10:30:00Z") });
writeFileSync(page, '<!doctype html><meta charset="utf-8"><style>' + style + 'body{margin:0;padding:16px;background:#fff;font-family:Lato,"DejaVu Sans",sans-serif}</style>' + renderToStaticMarkup(message));
`,
);
for (const [name, blocks, height] of pictures) {
  const page = join(folder, `${name}.html`);
  // Unlike Slack, the library takes verbatim for "no format at all"; Slack only leaves addresses and names alone.
  const input = JSON.stringify({ blocks, page, style }).replaceAll(',"verbatim":true', "");
  execFileSync(process.execPath, [script], { input, cwd: installed });
  const flags = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    `--window-size=640,${height}`,
  ];
  const picture = join(import.meta.dirname, `${name}.png`);
  execFileSync("chromium", [...flags, `--screenshot=${picture}`, `file://${page}`], { stdio: "ignore" });
}
rmSync(script);
rmSync(folder, { recursive: true });
