import type { Card } from "../../service/views/card.ts";
import type { RequestView } from "../../service/views/request-view.ts";
import { scopesText, type Line } from "../../wording/card-text.ts";
import type { Reply } from "./reply.ts";

/** All details of a request, for the button *Details*. */
export function detailsReply(card: Card): Reply {
  const { request } = card;
  const metadata = Object.entries(request.metadata).map(([name, value]) => `${name}: ${value}`);
  return {
    kind: "details",
    card,
    lines: [
      [`Request ${request.id}`, ...(request.extends === null ? [] : [`, extends ${request.extends}`])],
      ["Asked ", { time: request.requestedAt }],
      ...request.policies.map((policy): Line => [
        "Policy ",
        { quote: policy.name },
        ` governs ${scopesText(policy.scopes)}`,
      ]),
      ...request.approvers.map(approverLine),
      ...timeLines(request),
      ...(request.grant?.targets ?? []).map((target): Line => [
        `Target ${target.connector}: ${target.state.toLowerCase().replaceAll("_", " ")}`,
      ]),
    ],
    quotations: metadata.length === 0 ? [] : [{ label: "Metadata", text: metadata.join("\n") }],
  };
}

const statusWords = {
  PENDING: "is asked",
  ESCALATED: "is asked since nobody decided in time",
  APPROVED: "approved",
  DENIED: "denied",
  NOT_NEEDED: "is not needed any more",
} as const;

function approverLine({ at, keyMintedBy, name, stage, status }: RequestView["approvers"][number]): Line {
  return [
    `Stage ${stage}: `,
    { userText: name },
    ` ${statusWords[status]}`,
    ...(at === undefined ? [] : [" ", { time: at }]),
    ...(keyMintedBy === undefined ? [] : [" with an API key made by ", { userText: keyMintedBy }]),
  ];
}

function timeLines({ decidedAt, startedAt, expiresAt, endedAt, grant }: RequestView): readonly Line[] {
  const times: readonly (readonly [string, string | null])[] = [
    ["Decided ", decidedAt],
    ["Started ", startedAt],
    ["Ends ", endedAt === null ? expiresAt : null],
    ["Ended ", endedAt],
  ];
  return [
    ...times.flatMap(([label, time]): readonly Line[] => (time === null ? [] : [[label, { time }]])),
    ...(grant?.credential === null || grant?.credential === undefined
      ? []
      : [[`Credential ${grant.credential.id}, ends in ${grant.credential.last4}`]]),
  ];
}
