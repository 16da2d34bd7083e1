import { z } from "zod";
import { secondMs } from "../../../core/values/time.ts";
import { TokenFault, type AccessTokens } from "./access-token.ts";

/** A Bot Framework activity to send, as plain JSON. */
export type OutgoingActivity = Readonly<Record<string, unknown>>;

/** A member of a conversation. */
export interface Member {
  readonly aadObjectId: string;
  readonly tenantId: string;
  /** `user`, `guest` or `anonymous`. */
  readonly userRole: string;
  readonly userPrincipalName: string | null;
  readonly name: string;
}

/** One page of a conversation's members. */
export interface MembersPage {
  readonly aadObjectIds: readonly string[];
  readonly continuationToken: string | null;
}

/** The Bot Framework's connector: one HTTP call for each method, one attempt for each call. */
export interface BotConnector {
  /** Posts a message. @returns its id. @throws BotConnectorFault */
  send(
    serviceUrl: string,
    conversationId: string,
    activity: OutgoingActivity,
    signal?: AbortSignal,
  ): Promise<string>;
  /** Replaces a message. @throws BotConnectorFault */
  update(
    serviceUrl: string,
    conversationId: string,
    activityId: string,
    activity: OutgoingActivity,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Finds or creates the personal conversation with this member. @returns its id. @throws BotConnectorFault */
  open(serviceUrl: string, memberId: string, signal?: AbortSignal): Promise<string>;
  /** Undefined: not a member. `incomplete`: Teams does not say enough. @throws BotConnectorFault */
  member(
    serviceUrl: string,
    conversationId: string,
    memberId: string,
    signal?: AbortSignal,
  ): Promise<Member | "incomplete" | undefined>;
  /** The members of a channel or group, page by page. @throws BotConnectorFault */
  members(
    serviceUrl: string,
    conversationId: string,
    continuationToken: string | null,
    signal: AbortSignal,
  ): Promise<MembersPage>;
}

/** A failed call to the connector. */
export class BotConnectorFault extends Error {
  override readonly name = "BotConnectorFault";
  /** Null: there was no answer. */
  readonly status: number | null;
  /** The code that Teams answered, or one of ours when there is none. */
  readonly code: string;
  readonly retryAfterMs: number | undefined;
  constructor(status: number | null, code: string, retryAfterMs?: number) {
    super(`${status ?? "no answer"}: ${code}`);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface BotConnectorSettings {
  readonly appId: string;
  readonly tenantId: string;
}

const timeoutMs = 10 * secondMs;
const retryAfterMaxMs = 600 * secondMs;

const idSchema = z.object({ id: z.string().min(1) });
const faultSchema = z.object({ error: z.object({ code: z.string().regex(/^[\w.-]{1,60}$/) }) });
const memberSchema = z
  .object({
    aadObjectId: z.string().optional(),
    objectId: z.string().optional(),
    tenantId: z.string(),
    userRole: z.string(),
    userPrincipalName: z.string().max(320).nullish(),
    name: z.string().max(500).nullish(),
  })
  .transform(({ aadObjectId, objectId, tenantId, userRole, userPrincipalName, name }) => ({
    aadObjectId: aadObjectId ?? objectId ?? "",
    tenantId,
    userRole,
    userPrincipalName: userPrincipalName ?? null,
    name: name ?? "",
  }));

const membersPageSize = 500;
const membersSchema = z
  .object({
    members: z.array(z.object({ aadObjectId: z.string().optional(), objectId: z.string().optional() })),
    continuationToken: z.string().nullish(),
  })
  .transform(({ members, continuationToken }) => ({
    aadObjectIds: members.flatMap((one) => one.aadObjectId ?? one.objectId ?? []),
    continuationToken: continuationToken ?? null,
  }));

/**
 * We do not use the SDK's client, because it retries four times by itself, even a message that may have been posted, and
 * sends our token along with redirects.
 */
export function createBotConnector(
  { appId, tenantId }: BotConnectorSettings,
  tokens: AccessTokens,
): BotConnector {
  const call = async (
    method: string,
    url: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<unknown> => {
    // One time limit for the whole call: our sign-in, the answer, and reading the answer.
    const limit = AbortSignal.timeout(timeoutMs);
    const callSignal = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    const token = await tokenWithin(tokens, callSignal);
    const response = await answerOf(method, url, token, body, callSignal);
    const responseBody: unknown = await response.json().catch(() => undefined);
    if (response.ok) return responseBody;
    if (response.status === 401) tokens.drop(token);
    throw new BotConnectorFault(response.status, codeIn(responseBody), retryAfterOf(response));
  };

  return {
    async send(serviceUrl, conversationId, activity, signal) {
      const url = addressOf(serviceUrl, conversationId, "activities");
      return idIn(await call("POST", url, activity, signal));
    },
    async update(serviceUrl, conversationId, activityId, activity, signal) {
      const url = addressOf(serviceUrl, conversationId, "activities", activityId);
      await call("PUT", url, { ...activity, id: activityId }, signal);
    },
    async open(serviceUrl, memberId, signal) {
      const wanted = {
        isGroup: false,
        bot: { id: `28:${appId}` },
        members: [{ id: memberId }],
        tenantId,
        channelData: { tenant: { id: tenantId } },
      };
      return idIn(await call("POST", addressOf(serviceUrl), wanted, signal));
    },
    async member(serviceUrl, conversationId, memberId, signal) {
      try {
        const url = addressOf(serviceUrl, conversationId, "members", memberId);
        const read = memberSchema.safeParse(await call("GET", url, undefined, signal));
        return read.success ? read.data : "incomplete";
      } catch (error) {
        if (error instanceof BotConnectorFault && error.status === 404) return undefined;
        throw error;
      }
    },
    async members(serviceUrl, conversationId, continuationToken, signal) {
      const query = new URLSearchParams({ pageSize: String(membersPageSize) });
      if (continuationToken !== null) query.set("continuationToken", continuationToken);
      const url = `${addressOf(serviceUrl, conversationId, "pagedmembers")}?${query.toString()}`;
      const read = membersSchema.safeParse(await call("GET", url, undefined, signal));
      if (!read.success) throw new BotConnectorFault(null, "no_members");
      return read.data;
    },
  };
}

function addressOf(serviceUrl: string, ...path: readonly string[]): string {
  const parts = ["v3", "conversations", ...path].map((part) => encodeURIComponent(part));
  return `${serviceUrl.replace(/\/+$/, "")}/${parts.join("/")}`;
}

async function answerOf(
  method: string,
  url: string,
  token: string,
  body: unknown,
  signal: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json",
        ...(body !== undefined && { "content-type": "application/json; charset=utf-8" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: "error",
      signal,
    });
  } catch {
    throw new BotConnectorFault(null, signal.aborted ? "timeout" : "unreachable");
  }
}

/** Our token. A hanging sign-in is awaited no longer than the call itself may take. */
async function tokenWithin(tokens: AccessTokens, signal: AbortSignal): Promise<string> {
  const { promise: timeIsUp, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(new TokenFault("login_unreachable"));
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([tokens.get(), timeIsUp]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

function codeIn(responseBody: unknown): string {
  const read = faultSchema.safeParse(responseBody);
  return read.success ? read.data.error.code : "refused";
}

/** `Retry-After` in seconds. A date is ignored; the relay then uses its own delay. */
function retryAfterOf({ headers }: Response): number | undefined {
  const text = headers.get("retry-after");
  if (text === null || !/^\d{1,6}$/.test(text)) return undefined;
  return Math.min(Number(text) * secondMs, retryAfterMaxMs);
}

function idIn(responseBody: unknown): string {
  const read = idSchema.safeParse(responseBody);
  if (!read.success) throw new BotConnectorFault(null, "no_id");
  return read.data.id;
}
