import type { AppsManifestValidateArguments } from "@slack/web-api";

type Manifest = AppsManifestValidateArguments["manifest"];

/** The app manifest for Slack. test/chat/slack/manifest.test.ts compares it with the code. */
export function slackManifest({ mode, url }: SlackManifestOptions): Manifest {
  const address = mode === "http" ? { url: `${url}/slack/events` } : {};
  return {
    _metadata: { major_version: 2, minor_version: 1 },
    display_information: {
      name: "JIT access",
      description: "Ask for temporary access, decide about it, and give it back.",
      background_color: "#1d3557",
    },
    features: {
      app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: true },
      bot_user: { display_name: "JIT access", always_online: true },
      shortcuts: [
        {
          name: "Request access",
          type: "global",
          callback_id: "request",
          description: "Ask for temporary access",
        },
      ],
      slash_commands: [
        {
          command: "/jit",
          description: "Ask for access, decide about it, look after it",
          usage_hint: "request read:prod:orders-db for 2h because INC-42 | help",
          should_escape: true,
          ...address,
        },
      ],
    },
    oauth_config: { scopes: { bot: [...botScopes] } },
    settings: {
      event_subscriptions: {
        ...(mode === "http" && { request_url: `${url}/slack/events` }),
        bot_events: [...botEvents],
      },
      interactivity: {
        is_enabled: true,
        ...(mode === "http" && {
          request_url: `${url}/slack/events`,
          message_menu_options_url: `${url}/slack/events`,
        }),
      },
      org_deploy_enabled: false,
      socket_mode_enabled: mode === "socket",
      token_rotation_enabled: false,
    },
  };
}

export interface SlackManifestOptions {
  readonly mode: "http" | "socket";
  /** The address Slack calls, without a trailing slash. Not used in socket mode. */
  readonly url: string;
}

/** The last two let us detect channels shared with another organisation, so that nothing is posted there. */
const botScopes = [
  "commands",
  "chat:write",
  "im:write",
  "users:read",
  "users:read.email",
  "usergroups:read",
  "channels:read",
  "groups:read",
] as const;

const botEvents = ["app_home_opened", "app_uninstalled", "tokens_revoked"] as const;
