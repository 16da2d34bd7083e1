import { z } from "zod";
import { secureUrl } from "../../config/setting-parsers.ts";
import { Failure, misuse } from "../io/failure.ts";
import type { CliIo } from "../io/cli-io.ts";

/** A full member of a Slack workspace: no guest, no bot, not deactivated, of no other workspace. */
export interface SlackMember {
  readonly teamId: string;
  readonly userId: string;
  readonly name: string;
  /** In lower case; undefined when it is hidden or not confirmed. */
  readonly email: string | undefined;
}

const member = z.object({
  id: z.string(),
  team_id: z.string(),
  name: z.string().default(""),
  real_name: z.string().optional(),
  deleted: z.boolean().default(false),
  is_bot: z.boolean().default(false),
  is_app_user: z.boolean().default(false),
  is_restricted: z.boolean().default(false),
  is_ultra_restricted: z.boolean().default(false),
  is_stranger: z.boolean().default(false),
  is_email_confirmed: z.boolean().default(true),
  profile: z.object({ email: z.string().optional() }).default({}),
});
const page = z.object({
  ok: z.boolean(),
  error: z.string().optional(),
  members: z.array(member).default([]),
  response_metadata: z.object({ next_cursor: z.string().default("") }).default({ next_cursor: "" }),
});
const authTest = z.object({ ok: z.boolean(), error: z.string().optional(), team_id: z.string().default("") });

/** Slack's own bot, a member of every workspace. */
const slackbot = "USLACKBOT";
const pageSize = 200;
const pagesMax = 500;
const pauseMaxMs = 60_000;
const triesMax = 5;

/**
 * Reads the full members of the workspace that `SLACK_BOT_TOKEN` belongs to.
 *
 * @throws Failure
 */
export async function readSlackMembers(io: CliIo): Promise<readonly SlackMember[]> {
  const callSlack = createSlackCaller(io);
  const { team_id: teamId } = readAnswer(authTest, await callSlack("auth.test", {}));
  const found: SlackMember[] = [];
  let cursor = "";
  for (let pages = 0; pages < pagesMax; pages++) {
    const { members, response_metadata: next } = readAnswer(
      page,
      await callSlack("users.list", { limit: String(pageSize), ...(cursor !== "" && { cursor }) }),
    );
    for (const user of members) if (isFullMember(user, teamId)) found.push(toSlackMember(user));
    cursor = next.next_cursor;
    if (cursor === "") return found;
  }
  throw new Failure("unreachable", "slack_unreadable", "Slack's list of members has no end.");
}

function isFullMember(user: z.output<typeof member>, teamId: string): boolean {
  return (
    user.id !== slackbot &&
    user.team_id === teamId &&
    !user.deleted &&
    !user.is_bot &&
    !user.is_app_user &&
    !user.is_restricted &&
    !user.is_ultra_restricted &&
    !user.is_stranger
  );
}

function toSlackMember(user: z.output<typeof member>): SlackMember {
  const { id, team_id: teamId, real_name: realName = "", name, profile } = user;
  const plain = (realName === "" ? name : realName).replaceAll(/\p{C}/gu, "").trim();
  return {
    teamId,
    userId: id,
    name: Array.from(plain).slice(0, nameLengthMax).join("").trim() || id,
    email: user.is_email_confirmed ? profile.email?.toLowerCase() : undefined,
  };
}

const nameLengthMax = 100;

type CallSlack = (method: string, query: Readonly<Record<string, string>>) => Promise<unknown>;

/** Creates a function that calls Slack and waits when Slack limits the rate. */
function createSlackCaller({ environment, timeoutMs, pause }: CliIo): CallSlack {
  const token = environment["SLACK_BOT_TOKEN"] ?? "";
  if (!/^xox[bp]-[\w-]+$/.test(token)) {
    throw misuse(
      "SLACK_BOT_TOKEN must hold the app's token, which begins with xoxb-; docs/slack.md says where to find it.",
    );
  }
  const address = environment["SLACK_API_URL"] ?? "";
  const base = secureUrl.parse(address === "" ? "https://slack.com/api" : address);
  if (base === undefined) throw misuse(`SLACK_API_URL must be ${secureUrl.expects}.`);
  return async (method, query) => {
    for (let tries = 1; ; tries++) {
      const response = await fetchFromSlack(
        `${base}/${method}?${new URLSearchParams(query).toString()}`,
        token,
        timeoutMs,
      );
      if (response.status === 429 && tries < triesMax) {
        const seconds = Number(response.headers.get("retry-after"));
        await pause(Math.min(pauseMaxMs, Math.max(1, Number.isFinite(seconds) ? seconds : 1) * 1_000));
        continue;
      }
      if (!response.ok) {
        throw new Failure(
          "unreachable",
          "slack_unreachable",
          `Slack answers ${method} with ${response.status}; try again later.`,
        );
      }
      return response.json().catch(() => undefined);
    }
  };
}

async function fetchFromSlack(url: string, token: string, timeoutMs: number): Promise<Response> {
  try {
    return await fetch(url, {
      headers: { authorization: `Bearer ${token}`, accept: "application/json" },
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch {
    throw new Failure("unreachable", "slack_unreachable", "Slack cannot be reached from here.");
  }
}

function readAnswer<Shape extends z.ZodType<{ readonly ok: boolean; readonly error?: string | undefined }>>(
  shape: Shape,
  response: unknown,
): z.output<Shape> {
  const read = shape.safeParse(response);
  if (!read.success) {
    throw new Failure("unreachable", "slack_unreadable", "Slack sent a response that cannot be read.");
  }
  const { ok, error = "unknown_error" } = read.data;
  if (ok) return read.data;
  const next = hints.get(error) ?? "see Slack's documentation for this code.";
  throw new Failure("unauthenticated", `slack_${error}`, `Slack refused: ${next}`);
}

const hints: ReadonlyMap<string, string> = new Map([
  ["invalid_auth", "SLACK_BOT_TOKEN is not valid; install the app again and copy its token."],
  ["token_revoked", "SLACK_BOT_TOKEN was revoked; install the app again and copy its token."],
  ["account_inactive", "the app was taken out of the workspace; install it again."],
  ["missing_scope", "the app lacks users:read or users:read.email; update it from the manifest."],
]);
