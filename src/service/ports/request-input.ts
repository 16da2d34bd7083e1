import { notifyChannels, type NotifyChannel } from "../../core/access/access-request.ts";
import type { RequestSpec } from "../../core/access/draft-request.ts";
import { parseId, type Scope } from "../../core/values/ids.ts";
import { refuse, type FieldProblem, type Refusal } from "../../core/values/refusals.ts";
import { parseScope, scopesPerRequestMax } from "../../core/values/scopes.ts";
import { parseDuration } from "../../core/values/time.ts";

export const reasonLengthMax = 2_000;
export const ticketLengthMax = 200;

/** A request for access as it was typed, from any surface. */
export interface RequestInput {
  readonly identityId: string;
  readonly reason: string;
  readonly scopes: readonly string[];
  readonly duration: string;
  readonly ticket?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly notifyChannels?: readonly NotifyChannel[];
  readonly breakGlass?: boolean;
}

export interface ParsedRequest extends Omit<RequestSpec, "id" | "requestedById"> {
  readonly breakGlass: boolean;
}

/** The parsed request, or a refusal with the code of the first invalid field. */
export function parseRequest(input: RequestInput): ParsedRequest | Refusal {
  const isEmpty = input.reason.trim() === "";
  if (isEmpty || input.reason.length > reasonLengthMax) {
    return refuse("invalid_body", `Give a reason of 1 to ${reasonLengthMax} characters.`, {
      errors: [{ path: "reason", message: isEmpty ? "must not be empty" : "is too long" }],
    });
  }
  const scopes = parseScopes(input.scopes);
  if ("refused" in scopes) return scopes;
  const durationMs = parseRequestedDuration(input.duration);
  if (typeof durationMs !== "number") return durationMs;
  const subjectId = parseId("identity", input.identityId);
  if (subjectId === undefined) return unknownIdentity(input.identityId);
  const ticket = input.ticket?.trim();
  return {
    subjectId,
    reason: input.reason,
    scopes,
    durationMs,
    ...(ticket !== undefined && ticket !== "" && { ticket }),
    metadata: input.metadata ?? {},
    notifyChannels: input.notifyChannels ?? notifyChannels,
    breakGlass: input.breakGlass ?? false,
  };
}

/** 1 to 20 different scopes; repeated ones count once. */
export function parseScopes(texts: readonly string[]): readonly Scope[] | Refusal {
  const errors: FieldProblem[] = [];
  const scopes = new Set<Scope>();
  for (const [index, text] of texts.entries()) {
    const scope = parseScope(text);
    if (scope === undefined) errors.push({ path: `scopes.${index}`, message: "is not action:resource" });
    else scopes.add(scope);
  }
  if (errors.length > 0) {
    return refuse("invalid_scope", "A scope is action:resource, for example read:prod:orders-db.", {
      errors,
    });
  }
  if (scopes.size === 0 || scopes.size > scopesPerRequestMax) {
    const message = `must hold 1 to ${scopesPerRequestMax} different scopes`;
    return refuse("invalid_scope", "Ask for 1 to 20 scopes at once.", {
      errors: [{ path: "scopes", message }],
    });
  }
  return [...scopes];
}

export function parseRequestedDuration(text: string): number | Refusal {
  return (
    parseDuration(text) ??
    refuse("invalid_duration", "A duration is 90s, 30m, 4h, 1h30m, 2d or PT4H, from 1 second to 30 days.", {
      errors: [{ path: "duration", message: "is not a duration from 1s to 30d" }],
    })
  );
}

export function unknownIdentity(text: string): Refusal {
  return refuse("identity_unknown", `There is no identity "${text.slice(0, 80)}".`);
}
