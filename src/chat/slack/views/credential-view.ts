import type { KnownBlock, ModalView } from "@slack/types";
import type { Reply } from "../../conversation/reply.ts";
import { contextBlock, lineBlock } from "./buttons.ts";
import { noticeView } from "./dialogs.ts";
import { limits } from "./text.ts";

/** The secret in a modal, which Slack does not store and nobody else sees. */
export function credentialView({
  credential,
  lines,
}: Pick<Extract<Reply, { kind: "credential" }>, "credential" | "lines">): ModalView {
  const targets = credential.targets.flatMap((target): KnownBlock[] => [
    lineBlock([
      `${target.connector} · `,
      { literal: target.where },
      " · user ",
      { literal: target.username },
    ]),
    ...codeBlocks(target.secret ?? ""),
    ...codeBlocks(target.command ?? ""),
  ]);
  return noticeView("Your credential", lines, [
    ...codeBlocks(credential.token),
    ...targets,
    contextBlock(["Valid until ", { time: credential.expiresAt }, ". It is not shown again."]),
  ]);
}

/** A secret as code, in several blocks if it is long, because it must not be truncated. */
function codeBlocks(text: string): KnownBlock[] {
  const pieces: string[] = [];
  let piece = "";
  for (const character of text) {
    const escaped = escapes.get(character) ?? character;
    if (piece.length + escaped.length > limits.section - 6) {
      pieces.push(piece);
      piece = "";
    }
    piece += escaped;
  }
  if (piece !== "") pieces.push(piece);
  return pieces.map((one) => ({
    type: "section",
    text: { type: "mrkdwn", text: `\`\`\`${one}\`\`\``, verbatim: true },
  }));
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
]);
