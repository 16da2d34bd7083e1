import type { SlackMessage } from "../../../fakes/slack/fake-slack.ts";
import type { ShownMessage } from "../../../support/complete-text-contract.ts";
import { buttonsOf } from "./slack-users.ts";

type Json = { readonly [name: string]: unknown };

/** The text of these blocks as their reader sees it, with quotations apart from our own text. */
export function shownMessage(message: Pick<SlackMessage, "blocks">): ShownMessage {
  const ours: string[] = [];
  const theirs: string[] = [];
  for (const block of message.blocks) {
    if (block["type"] === "rich_text") {
      for (const part of list(block["elements"])) {
        const rows = list(part["elements"])
          .map((one) => String(one["text"]))
          .join("")
          .split("\n");
        (part["type"] === "rich_text_quote" ? theirs : ours).push(...rows);
      }
      continue;
    }
    const texts = [block["text"], ...list(block["fields"]), ...list(block["elements"])];
    if (block["type"] === "actions") continue;
    for (const one of texts) {
      if (typeof one === "object" && one !== null) ours.push(...rowsOf({ ...one }));
    }
  }
  return { ours, theirs, buttons: buttonsOf(message) };
}

/** Rows as Slack draws them: unescaped, and indented unless they are bold labels. */
function rowsOf({ text }: Json): readonly string[] {
  return String(text)
    .split("\n")
    .map((row) =>
      row
        .replace(/^(?!\*)/, "  ")
        .replace(/^\*(.*)\*$/, "$1")
        .replaceAll(/[`\u2060]/g, "")
        .replaceAll("&lt;", "<")
        .replaceAll("&gt;", ">")
        .replaceAll("&amp;", "&"),
    );
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as Json[]) : [];
}
