import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import { createReplays } from "./replay-guard.ts";
import type { IncomingMessage, ServerResponse } from "node:http";

/** Slack allows itself five minutes; we allow them both ways. */
const windowSeconds = 300;

export interface SlackMount {
  readonly take: (request: IncomingMessage, response: ServerResponse) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** A call that was not Slack's, or not of now. */
  readonly onForged: (address: string) => void;
}

/**
 * Slack's door in our server. The signature is over the bytes as they came, so nothing may read them before Bolt: in
 * this scope no parser does. Calls from the future, which Bolt would take, are turned away.
 */
export function slackMount({ take, now, onForged }: SlackMount): FastifyPluginAsync {
  const replays = createReplays();
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
        if (!replays.isFirst(signature, now())) {
          onForged(request.ip);
          return reply.code(401).send();
        }
        // Bolt compares the type to the letter.
        const [type = ""] = (raw.headers["content-type"] ?? "").split(";");
        raw.headers["content-type"] = type.trim().toLowerCase();
        reply.raw.once("finish", () => {
          if (reply.raw.statusCode === 401) {
            replays.forget(signature);
            onForged(request.ip);
          }
          // What is too long is not waited for.
          if (reply.raw.statusCode === 413) raw.socket.destroySoon();
        });
        // As the router has understood it: Bolt compares the address to the letter and throws at any other spelling.
        raw.url = "/slack/events";
        reply.hijack();
        take(raw, reply.raw);
        return reply;
      },
    );
  };
}
