import type { Wire } from "../support/wire.ts";

/** What a client knows of one request, from answers alone. */
export interface Remembered {
  readonly id: string;
  readonly subject: string;
  /** As last answered. */
  status: string;
  /** When access ends by itself, once it has started. */
  expiresAt: number | undefined;
  /** A verb that was sent and not answered: it may have happened or not. */
  tried: string | undefined;
  /** Every token answered, the newest last. */
  readonly tokens: string[];
  /** A rotation happened and its answer was lost: nobody knows the newest token. */
  isNewestUnseen: boolean;
}

/** Everything that was answered, over all lives of the program. */
export interface Memory {
  readonly requests: Map<string, Remembered>;
  /** Keys that were answered, by whom they are of. */
  readonly keys: Map<string, string>;
  /** Hashes of audit records that were read, by seq. */
  readonly audit: Map<number, string>;
  /** Answers that should not have been. */
  readonly odd: string[];
  /** How many answers changed something. */
  answered: number;
}

export function emptyMemory(): Memory {
  return { requests: new Map(), keys: new Map(), audit: new Map(), odd: [], answered: 0 };
}

/** Takes note of an answer with a whole request. */
export function remember(memory: Memory, body: Wire, subject: string): Remembered {
  const known = memory.requests.get(body.id) ?? {
    id: body.id,
    subject,
    status: "",
    expiresAt: undefined,
    tried: undefined,
    tokens: [],
    isNewestUnseen: false,
  };
  known.status = body.status;
  known.tried = undefined;
  if (body.expiresAt !== null) known.expiresAt = Date.parse(body.expiresAt);
  if (body.credential !== undefined) {
    known.tokens.push(body.credential.token);
    known.isNewestUnseen = false;
  }
  memory.requests.set(body.id, known);
  memory.answered++;
  return known;
}

/** What a request may read as: what was answered last, or what was tried since, or what the clock made of it. */
export function lawful({ status, tried, expiresAt }: Remembered, now: number): readonly string[] {
  const next = tried === undefined ? undefined : outcomes[tried];
  const states = next === undefined ? [status] : [status, next];
  return states.flatMap((one) => {
    if (one !== "ACTIVE") return [one];
    if (expiresAt === undefined) return ["ACTIVE", "EXPIRED"];
    // The list was read a moment before or after the end.
    return now < expiresAt - 1_000
      ? ["ACTIVE"]
      : now > expiresAt + 1_000
        ? ["EXPIRED"]
        : ["ACTIVE", "EXPIRED"];
  });
}

const outcomes: Readonly<Record<string, string>> = {
  approve: "APPROVED",
  deny: "DENIED",
  cancel: "CANCELLED",
  claim: "ACTIVE",
  rotate: "ACTIVE",
  complete: "COMPLETED",
  revoke: "REVOKED",
};
