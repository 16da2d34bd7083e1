import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AdaptiveCard } from "../../src/chat/teams/views/adaptive-card.ts";
import { textCard } from "../../src/chat/teams/views/cards.ts";
import { formCard, emptyForm } from "../../src/chat/teams/views/dialogs.ts";
import { requestForm } from "../../src/chat/conversation/request-form.ts";
import type { CardText } from "../../src/wording/card-text.ts";

// Draws the pictures beside it with Teams' own card library: node docs/images/draw-teams-cards.ts (needs chromium).

const asked: CardText = {
  requestId: "jit_xyz789abcdef0123",
  revision: "r1",
  heading: [{ said: "Dev" }, " asks for access"],
  push: [{ said: "Dev" }, " asks for access"],
  access: { catalogName: "Orders database (read)", scopes: ["read:prod:orders-db"] },
  terms: [
    { label: "Who", value: [{ said: "Dev" }, ", ", { said: "dev@company.com" }] },
    { label: "For", value: ["2 hours"] },
  ],
  reason: { label: "Reason", text: "Orders are stuck since the deployment, INC-42" },
  facts: [
    { label: "Risk", value: ["40 of 100: production +40"] },
    { label: "Approvals", value: ["1 of 2"] },
    { label: "You are asked as", value: ["group:dba"] },
    { label: "Last time", value: ["completed ", { time: "2026-01-12T09:10:00.000Z" }] },
  ],
  words: [{ label: "Ticket", text: "INC-42" }],
  status: ["Waiting for a decision until ", { time: "2026-01-16T10:30:00.000Z" }],
  actions: ["approve", "deny", "approve_for_less", "details"],
};

const active: CardText = {
  ...asked,
  heading: ["Access is active for you"],
  terms: asked.terms.slice(1),
  facts: [],
  words: [],
  status: ["Active until ", { time: "2026-01-15T12:40:00.000Z" }],
  actions: ["extend", "done", "replace_credential"],
};

const form = formCard(requestForm(), "message", {
  ...emptyForm,
  values: { scopes: "read:prod:orders-db", duration: "2h", reason: "INC-42" },
  preview: [["Needs 2 of 3: ", { said: "Ann, Bob, Cid" }, "."]],
});

const pictures: readonly (readonly [name: string, card: AdaptiveCard, height: number])[] = [
  ["teams-approval", textCard(asked), 470],
  ["teams-active", textCard(active), 290],
  ["teams-form", form, 562],
];

const library = readFileSync(
  createRequire(import.meta.url).resolve("adaptivecards/dist/adaptivecards.min.js"),
  "utf8",
);
const look = {
  fontFamily: "'Segoe UI', 'DejaVu Sans', sans-serif",
  spacing: { small: 6, default: 8, medium: 12, large: 16, padding: 14 },
  containerStyles: { emphasis: { backgroundColor: "#f5f5f5" } },
  actions: { actionsOrientation: "horizontal", actionAlignment: "left", maxActions: 6 },
};
const style = `body{margin:0;padding:12px;background:#f0f0f0;font:14px 'Segoe UI','DejaVu Sans',sans-serif}
#card{background:#fff;border:1px solid #ddd;border-radius:6px;max-width:560px}
.ac-pushButton{background:#fff;border:1px solid #c7c7c7;border-radius:4px;padding:6px 12px;font:600 13px inherit}
.ac-pushButton.style-positive{background:#5b5fc7;color:#fff;border-color:#5b5fc7}
.ac-pushButton.style-destructive{color:#b3261e}
.ac-input{box-sizing:border-box;width:100%;padding:6px;border:1px solid #ccc;border-radius:4px;font:inherit}`;

const folder = mkdtempSync(join(tmpdir(), "cards-"));
for (const [name, card, height] of pictures) {
  const page = join(folder, `${name}.html`);
  writeFileSync(
    page,
    `<!doctype html><meta charset="utf-8"><style>${style}</style><div id="card"></div><script>${library}</script><script>
const card = new AdaptiveCards.AdaptiveCard();
card.hostConfig = new AdaptiveCards.HostConfig(${JSON.stringify(look)});
AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => { result.outputHtml = text; result.didProcess = true; };
card.parse(${JSON.stringify(card)});
document.getElementById("card").append(card.render());
</script>`,
  );
  const flags = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    `--window-size=590,${height}`,
  ];
  const picture = join(import.meta.dirname, `${name}.png`);
  execFileSync("chromium", [...flags, `--screenshot=${picture}`, `file://${page}`], { stdio: "ignore" });
}
rmSync(folder, { recursive: true });
