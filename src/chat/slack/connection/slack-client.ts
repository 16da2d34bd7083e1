import type { WebClient } from "@slack/web-api";

/** The parts of Slack's client that we use. */
export type SlackClient = Pick<
  WebClient,
  "chat" | "conversations" | "users" | "usergroups" | "views" | "auth"
>;
