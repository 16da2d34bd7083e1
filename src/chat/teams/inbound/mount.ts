import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { parseActivity } from "../connection/activity.ts";
import type { Authentication, Proof } from "./authentication.ts";
import type { Bot } from "../connection/bot.ts";
import type { Inbound } from "./inbound.ts";
import type { TeamsPeople } from "../people/people.ts";

export interface MountDeps {
  readonly authentication: Authentication;
  /** Loads the SDK on first use. */
  readonly bot: () => Promise<Bot>;
  readonly inbound: Inbound;
  readonly people: TeamsPeople;
  readonly onRejected: (why: string) => void;
}

const path = "/api/messages";

/**
 * The HTTP endpoint for Teams. The token is checked before the body is read, so that callers without one cost little.
 * All rejections are the same 401.
 */
export function createMount({ authentication, bot, inbound, people, onRejected }: MountDeps) {
  const proofs = new WeakMap<FastifyRequest, Proof>();

  const verifyToken = async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> => {
    const proof = await authentication.proofOf(request.headers.authorization);
    if (!("rejected" in proof)) {
      proofs.set(request, proof);
      return undefined;
    }
    onRejected(proof.rejected);
    return unauthenticated(reply);
  };

  const receive = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { body } = request;
    const activity = parseActivity(body);
    const proof = proofs.get(request);
    if (activity === undefined || typeof body !== "object" || body === null) return malformed(reply);
    const rejected = proof === undefined ? { rejected: "no_token" } : authentication.verify(proof, activity);
    if (rejected !== undefined) {
      onRejected(rejected.rejected);
      return unauthenticated(reply);
    }
    if (!authentication.isOurTenant(activity)) {
      onRejected("tenant");
      await people.recordForeign(activity);
      return unauthenticated(reply);
    }
    const { status, body: answer } = await (
      await bot()
    ).handle(body, async () => (await inbound(activity)).body);
    return reply.code(status).header("cache-control", "no-store").send(answer);
  };

  return async (scope: FastifyInstance): Promise<void> => {
    // Microsoft calls for everybody from a few addresses, so a rate limit per address would block them all.
    scope.post(path, { onRequest: verifyToken, config: { limited: "nothing" } }, receive);
  };
}

function unauthenticated(reply: FastifyReply): FastifyReply {
  reply.header("www-authenticate", "Bearer");
  return problem(
    reply,
    401,
    "unauthenticated",
    "Only the Bot Framework, speaking for Teams, is let in here.",
  );
}

function malformed(reply: FastifyReply): FastifyReply {
  return problem(reply, 400, "malformed", "This is no activity.");
}

function problem(reply: FastifyReply, status: number, code: string, detail: string): FastifyReply {
  const title = `${code.charAt(0).toUpperCase()}${code.slice(1)}`;
  const body = { type: `urn:jit-access:problem:${code}`, title, status, detail, code };
  return reply
    .code(status)
    .header("cache-control", "no-store")
    .type("application/problem+json")
    .send(Buffer.from(JSON.stringify(body)));
}
