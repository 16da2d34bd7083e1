import type { Reply } from "../../conversation/reply.ts";
import type { CredentialTarget, CredentialView } from "../../../service/views/request-view.ts";
import { adaptiveCard, type AdaptiveCard, type Container, type Element } from "./adaptive-card.ts";
import { cardButton, type CardPlacement } from "./buttons.ts";
import { requestIdRow } from "./cards.ts";
import { richText, run } from "./text.ts";

type CredentialReply = Extract<Reply, { kind: "credential" }>;

export function credentialCard({ credential, request, lines }: CredentialReply): AdaptiveCard {
  return adaptiveCard({
    fallbackText: "The credential cannot be shown by this version of Teams.",
    body: [...lines.map((line) => richText(line)), ...secretElements(credential), requestIdRow(request.id)],
    actions: [],
  });
}

/** The token, then the access to each target. Secrets are monospaced, so that no characters can be confused. */
function secretElements({ token, targets }: CredentialView): readonly Element[] {
  return [secretBox("Credential", [["", token]]), ...targets.map((target) => targetBox(target))];
}

function targetBox({
  connector,
  kind,
  where,
  username,
  secret,
  command,
  problem,
}: CredentialTarget): Element {
  const rows: readonly Row[] = [
    ["at", where],
    ["as", username],
    ["with", secret],
    ["try", command],
  ];
  const box = secretBox(`${connector} (${kind})`, rows);
  return problem === undefined ? box : { ...box, items: [...box.items, richText([{ literal: problem }])] };
}

type Row = readonly [label: string, value: string | null];

function secretBox(title: string, rows: readonly Row[]): Container {
  return {
    type: "Container",
    style: "emphasis",
    spacing: "Small",
    items: [
      { type: "RichTextBlock", inlines: [run(title, { isSubtle: true })] },
      ...rows.flatMap(([label, value]) => (value === null ? [] : secretRows(label, value))),
    ],
  };
}

/** One row for each line, because a certificate has several. */
function secretRows(label: string, value: string): readonly Element[] {
  return value.split("\n").map((line, at) => ({
    type: "RichTextBlock",
    inlines: [
      ...(label === "" || at > 0 ? [] : [run(`${label} `, { isSubtle: true })]),
      { type: "TextRun", text: line === "" ? " " : line, fontType: "Monospace" },
    ],
    spacing: "None",
  }));
}

/** The claim was made, so this secret is lost. The button replaces the credential. */
export function withheldCard({ request }: CredentialReply, placement: CardPlacement): AdaptiveCard {
  return adaptiveCard({
    fallbackText: "The credential is shown in a dialog only.",
    body: [
      richText(["The credential is shown in a dialog only. Press Replace credential."]),
      requestIdRow(request.id),
    ],
    actions: [
      cardButton("replace_credential", { requestId: request.id, revision: request.revision }, placement),
    ],
  });
}
