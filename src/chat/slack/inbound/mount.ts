import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import { createReplayGuard } from "./replay-guard.ts";
import type { IncomingMessage, ServerResponse } from "node:http";

/** Slack accepts timestamps up to five minutes old; we also accept five minutes ahead. */
const windowSeconds = 300;

export interface MountDeps {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Called for a call that Slack did not sign, or that is too old. */
  readonly onForged: (address: string) => void;
}

/**
 * The HTTP endpoint for Slack. The signature covers the raw bytes, so no body parser may run in this scope. Timestamps in
 * the future, which Bolt accepts, are rejected.
 */
export function createMount({ handle, now, onForged }: MountDeps): FastifyPluginAsync {
  const replayGuard = createReplayGuard();
  return async (app: FastifyInstance) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (_request, _payload, done) => done(null));
    app.post(
      "/slack/events",
      { config: { limited: "nothing" }, schema: { hide: true } },
      async (request, reply) => {
        const { raw } = request;
        const sentAt = Number(raw.headers["x-slack-request-timestamp"]);
        if (!Number.isInteger(sentAt) || sentAt - now() / 1_000 > windowSeconds) {
          onForged(request.ip);
          return reply.code(401).send();
        }
        const signature = String(raw.headers["x-slack-signature"]);
        if (!replayGuard.isFirst(signature, now())) {
          onForged(request.ip);
          return reply.code(401).send();
        }
        // Bolt accepts the content type only in this exact spelling.
        const [type = ""] = (raw.headers["content-type"] ?? "").split(";");
        raw.headers["content-type"] = type.trim().toLowerCase();
        reply.raw.once("finish", () => {
          if (reply.raw.statusCode === 401) {
            replayGuard.forget(signature);
            onForged(request.ip);
          }
          // Closes the connection instead of reading the rest of a body that is too large.
          if (reply.raw.statusCode === 413) raw.socket.destroySoon();
        });
        // Bolt throws at any other spelling of the path, such as one with escapes.
        raw.url = "/slack/events";
        reply.hijack();
        handle(raw, reply.raw);
        return reply;
      },
    );
  };
}
