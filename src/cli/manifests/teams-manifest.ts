import { commandHelp } from "../../wording/help.ts";
import type { CommandName } from "../../wording/parse-command.ts";

export interface TeamsManifestOptions {
  /** The id of the app registration, a GUID. */
  readonly appId: string;
  /** The https address of this service, without a trailing slash. */
  readonly url: string;
  /** Teams accepts another package only with a higher version. */
  readonly version: string;
}

/** At most as many commands as Teams shows in one list, most used first. */
const listed: readonly CommandName[] = [
  "request",
  "list",
  "home",
  "status",
  "extend",
  "done",
  "why",
  "link",
  "help",
];
const scopes = ["personal", "team", "groupChat"] as const;
const descriptionLengthMax = 128;

/** The app manifest for Teams. test/chat/teams/manifest.test.ts compares it with the code and Microsoft's schema. */
export function teamsManifest({ appId, url, version }: TeamsManifestOptions) {
  return {
    $schema: "https://developer.microsoft.com/json-schemas/teams/v1.25/MicrosoftTeams.schema.json",
    manifestVersion: "1.25",
    version,
    id: appId,
    developer: {
      name: "jit-access",
      websiteUrl: url,
      privacyUrl: `${url}/docs`,
      termsOfUseUrl: `${url}/docs`,
    },
    name: { short: "JIT access", full: "Just-in-time access" },
    description: {
      short: "Ask for temporary access, decide about it, give it back.",
      full: "Ask for temporary access to production systems, approve or deny what others ask for, see your own credential in a dialog that only you can see, extend access and give it back. Write help to see what there is.",
    },
    icons: { color: "color.png", outline: "outline.png" },
    accentColor: "#1d3557",
    bots: [
      {
        botId: appId,
        scopes: [...scopes],
        isNotificationOnly: false,
        supportsFiles: false,
        supportsCalling: false,
        supportsVideo: false,
        commandLists: [{ scopes: [...scopes], commands: listed.map(commandEntry) }],
      },
    ],
    composeExtensions: [
      {
        botId: appId,
        commands: [
          {
            id: "request",
            type: "action",
            title: "Request access",
            description: "Opens the form to ask for temporary access",
            context: ["compose", "commandBox"],
            fetchTask: true,
          },
        ],
      },
    ],
    permissions: ["identity", "messageTeamMembers"],
    validDomains: [new URL(url).host],
    defaultInstallScope: "personal",
    defaultGroupCapability: { team: "bot", groupchat: "bot" },
  };
}

function commandEntry(name: CommandName): { readonly title: string; readonly description: string } {
  return { title: name, description: commandHelp[name].does.slice(0, descriptionLengthMax) };
}
