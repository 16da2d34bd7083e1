import {
  adminKey,
  cronExpression,
  databaseFile,
  filePath,
  hostName,
  hostNames,
  logLevel,
  matching,
  proxies,
  publicUrl,
  secretText,
  secureUrl,
  sender,
  smtpUrl,
  wholeNumber,
  yesNo,
  type LogLevel,
  type Setting,
} from "./setting-parsers.ts";

/** The settings from the environment, with defaults for variables that are not set. */
export interface Settings {
  readonly host: string;
  /** 0 selects any free port. */
  readonly port: number;
  /** Without a trailing slash. Absent: people use the address the server listens on. */
  readonly publicUrl?: string;
  /** The proxies whose forwarded headers are trusted. */
  readonly trustedProxies: readonly string[];
  readonly databaseFile: string;
  /** `JIT_CONFIG`. */
  readonly configFile?: string;
  /** Absent: the first start makes one. */
  readonly adminKey?: string;
  readonly sweepCron: string;
  readonly rateLimitPerMinute: number;
  readonly logLevel: LogLevel;
  /** Absent: the audit log is in the database only. */
  readonly auditFile?: string;
  /** Absent: Slack is off. The same applies to the next two. */
  readonly slack?: SlackSettings;
  readonly teams?: TeamsSettings;
  readonly email?: EmailSettings;
}

interface SlackSettings {
  readonly botToken: string;
  /** With an app token we open a socket to Slack; otherwise Slack calls us and signs its calls. */
  readonly connection:
    | { readonly mode: "socket"; readonly appToken: string }
    | { readonly mode: "http"; readonly signingSecret: string };
  readonly teamId?: string;
  /** Without a trailing slash, like the addresses below. */
  readonly apiUrl: string;
  readonly linkByEmail: boolean;
}

interface TeamsSettings {
  readonly appId: string;
  readonly appPassword: string;
  readonly tenantId: string;
  readonly loginUrl: string;
  readonly openIdMetadataUrl: string;
  /** In lower case; https only, except loopback. */
  readonly serviceUrlHosts: readonly string[];
  readonly linkByEmail: boolean;
}

interface EmailSettings {
  /** May hold a password. */
  readonly smtpUrl: string;
  readonly from: string;
}

/** A problem with one variable. `message` completes a sentence that begins with its name, and never quotes its value. */
export interface SettingProblem {
  readonly name: EnvironmentName;
  readonly message: string;
}

const slackNames = [
  "SLACK_SIGNING_SECRET",
  "SLACK_BOT_TOKEN",
  "SLACK_APP_TOKEN",
  "SLACK_TEAM_ID",
  "SLACK_API_URL",
  "SLACK_LINK_BY_EMAIL",
] as const;
const teamsNames = [
  "MICROSOFT_APP_ID",
  "MICROSOFT_APP_PASSWORD",
  "MICROSOFT_APP_TENANT_ID",
  "MICROSOFT_LOGIN_URL",
  "TEAMS_OPENID_METADATA_URL",
  "TEAMS_SERVICE_URL_HOSTS",
  "TEAMS_LINK_BY_EMAIL",
] as const;
const emailNames = ["SMTP_URL", "EMAIL_FROM"] as const;

/** The name of every variable. */
export const environmentNames = [
  "HOST",
  "PORT",
  "PUBLIC_URL",
  "TRUSTED_PROXIES",
  "DATABASE_URL",
  "JIT_CONFIG",
  "JIT_ADMIN_KEY",
  "JIT_SWEEP_CRON",
  "RATE_LIMIT_PER_MINUTE",
  "LOG_LEVEL",
  "AUDIT_FILE",
  ...slackNames,
  ...teamsNames,
  ...emailNames,
] as const;
type EnvironmentName = (typeof environmentNames)[number];

/** The host names Teams calls from: the public cloud, then the US government's and China's. */
const teamsServiceHosts = [
  "smba.trafficmanager.net",
  "smba.infra.gcc.teams.microsoft.com",
  "smba.infra.gov.teams.microsoft.us",
  "smba.infra.dod.teams.microsoft.us",
  "frontend.botapi.msg.infra.teams.microsoftonline.cn",
];

/**
 * Reads the environment. An empty variable counts as not set. All problems are found at once, and with any of them the
 * service must not start. See docs/configuration.md#environment.
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): { readonly ok: Settings } | { readonly problems: readonly SettingProblem[] } {
  const reader = readerOf(environment);
  const { take } = reader;
  const address = take("PUBLIC_URL", publicUrl);
  const configFile = take("JIT_CONFIG", filePath);
  const key = take("JIT_ADMIN_KEY", adminKey);
  const auditFile = take("AUDIT_FILE", filePath);
  const slack = readSlack(reader);
  const teams = readTeams(reader);
  const email = readEmail(reader);
  const settings: Settings = {
    host: take("HOST", hostName) ?? "127.0.0.1",
    port: take("PORT", wholeNumber(0, 65_535)) ?? 3_000,
    ...(address !== undefined && { publicUrl: address }),
    trustedProxies: take("TRUSTED_PROXIES", proxies) ?? [],
    databaseFile: take("DATABASE_URL", databaseFile) ?? "data/jit.db",
    ...(configFile !== undefined && { configFile }),
    ...(key !== undefined && { adminKey: key }),
    sweepCron: take("JIT_SWEEP_CRON", cronExpression) ?? "*/5 * * * * *",
    rateLimitPerMinute: take("RATE_LIMIT_PER_MINUTE", wholeNumber(1, 1_000_000)) ?? 1_200,
    logLevel: take("LOG_LEVEL", logLevel) ?? "info",
    ...(auditFile !== undefined && { auditFile }),
    ...(slack !== undefined && { slack }),
    ...(teams !== undefined && { teams }),
    ...(email !== undefined && { email }),
  };
  return reader.problems.length === 0 ? { ok: settings } : { problems: reader.problems };
}

interface Reader {
  readonly problems: readonly SettingProblem[];
  /** The value; undefined when it is not set, or invalid and added to the problems. */
  readonly take: <T>(name: EnvironmentName, setting: Setting<T>) => T | undefined;
  /** Like `take`, for a required variable of a group: its absence is a problem too. */
  readonly need: <T>(name: EnvironmentName, setting: Setting<T>, because: string) => T | undefined;
  readonly isAnySet: (names: readonly EnvironmentName[]) => boolean;
}

/** Characters that a byte order mark, a pasted blank or a Windows line end leaves invisibly in a name. */
const invisible = /[\p{White_Space}\p{Cc}\p{Cf}]/gu;

/** Finds variables that are set under a name with an invisible character and would silently be ignored. */
function hiddenNames(environment: Readonly<Record<string, string | undefined>>): SettingProblem[] {
  const misspelt = Object.keys(environment).filter((name) => name.search(invisible) >= 0);
  const intended = new Set(misspelt.map((name) => name.replaceAll(invisible, "")));
  const message = "is set under a name with an invisible character in it; type the name anew";
  return environmentNames.filter((name) => intended.has(name)).map((name) => ({ name, message }));
}

function readerOf(environment: Readonly<Record<string, string | undefined>>): Reader {
  const problems: SettingProblem[] = hiddenNames(environment);
  const textOf = (name: EnvironmentName): string => environment[name] ?? "";
  const take = <T>(name: EnvironmentName, setting: Setting<T>): T | undefined => {
    const text = textOf(name);
    if (text === "") return undefined;
    const value = setting.parse(text);
    if (value === undefined) problems.push({ name, message: `must be ${setting.expects}` });
    return value;
  };
  return {
    problems,
    take,
    need: (name, setting, because) => {
      if (textOf(name) === "") problems.push({ name, message: `is missing: ${because}` });
      return take(name, setting);
    },
    isAnySet: (names) => names.some((name) => textOf(name) !== ""),
  };
}

function readSlack({ take, need, isAnySet }: Reader): SlackSettings | undefined {
  if (!isAnySet(slackNames)) return undefined;
  const botToken = need(
    "SLACK_BOT_TOKEN",
    matching(/^xoxb-[!-~]{1,300}$/, "a bot token, which begins with xoxb-"),
    "other SLACK_ variables are set",
  );
  const isSocket = isAnySet(["SLACK_APP_TOKEN"]);
  const appToken = take(
    "SLACK_APP_TOKEN",
    matching(/^xapp-[!-~]{1,300}$/, "an app-level token, which begins with xapp-"),
  );
  const signingSecret = isSocket
    ? take("SLACK_SIGNING_SECRET", secretText)
    : need("SLACK_SIGNING_SECRET", secretText, "Slack needs it, or SLACK_APP_TOKEN for socket mode");
  const teamId = take(
    "SLACK_TEAM_ID",
    matching(/^[TE][A-Za-z0-9_]{1,40}$/, "a workspace's id such as T0123"),
  );
  const apiUrl = take("SLACK_API_URL", secureUrl) ?? "https://slack.com/api";
  const linkByEmail = take("SLACK_LINK_BY_EMAIL", yesNo) ?? false;
  const connection =
    appToken !== undefined
      ? ({ mode: "socket", appToken } as const)
      : signingSecret !== undefined && ({ mode: "http", signingSecret } as const);
  if (botToken === undefined || connection === false) return undefined;
  return { botToken, connection, ...(teamId !== undefined && { teamId }), apiUrl, linkByEmail };
}

function readTeams({ take, need, isAnySet }: Reader): TeamsSettings | undefined {
  if (!isAnySet(teamsNames)) return undefined;
  const because = "other variables for Microsoft Teams are set";
  const appId = need("MICROSOFT_APP_ID", matching(/^[A-Za-z0-9-]{1,64}$/, "an application's id"), because);
  const appPassword = need("MICROSOFT_APP_PASSWORD", secretText, because);
  const tenantId = need(
    "MICROSOFT_APP_TENANT_ID",
    matching(/^(?!(common|organizations|consumers)$)[A-Za-z0-9-]{1,64}$/i, "the id of one tenant"),
    because,
  );
  const rest = {
    loginUrl: take("MICROSOFT_LOGIN_URL", secureUrl) ?? "https://login.microsoftonline.com",
    openIdMetadataUrl:
      take("TEAMS_OPENID_METADATA_URL", secureUrl) ??
      "https://login.botframework.com/v1/.well-known/openidconfiguration",
    serviceUrlHosts: take("TEAMS_SERVICE_URL_HOSTS", hostNames) ?? teamsServiceHosts,
    linkByEmail: take("TEAMS_LINK_BY_EMAIL", yesNo) ?? false,
  };
  if (appId === undefined || appPassword === undefined || tenantId === undefined) return undefined;
  return { appId, appPassword, tenantId: tenantId.toLowerCase(), ...rest };
}

function readEmail({ need, isAnySet }: Reader): EmailSettings | undefined {
  if (!isAnySet(emailNames)) return undefined;
  const url = need("SMTP_URL", smtpUrl, "EMAIL_FROM is set");
  const from = need("EMAIL_FROM", sender, "SMTP_URL is set, and every mail names a sender");
  return url === undefined || from === undefined ? undefined : { smtpUrl: url, from };
}
