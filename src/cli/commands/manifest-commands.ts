import { writeFile } from "node:fs/promises";
import { Option, type Command } from "commander";
import { misuse } from "../io/failure.ts";
import type { Cli } from "../api/session.ts";
import { slackManifest } from "../manifests/slack-manifest.ts";
import { teamsPackage } from "../manifests/teams-package.ts";

/** Adds the commands that make app manifests for chat platforms. They need no key and call no service. */
export function addManifestCommands(program: Command, { io }: Cli): void {
  const manifest = program
    .command("manifest")
    .summary("make the files that a chat platform needs to install the app");
  manifest
    .command("slack")
    .summary("print the app manifest for Slack, as JSON")
    .option(
      "--url <url>",
      "the address where Slack reaches this service, https://…; not needed with --socket",
    )
    .addOption(new Option("--socket", "for socket mode: this service connects to Slack"))
    .action(async ({ url, socket = false }: { readonly url?: string; readonly socket?: boolean }) => {
      const manifestOf = socket
        ? slackManifest({ mode: "socket", url: "" })
        : slackManifest({ mode: "http", url: secureAddress(url, slackAddress) });
      await io.out(`${JSON.stringify(manifestOf, undefined, 2)}\n`);
    });
  manifest
    .command("teams")
    .summary("write the app package for Microsoft Teams, as a zip file")
    .requiredOption("--app-id <id>", "the id of the app registration, MICROSOFT_APP_ID")
    .requiredOption("--url <url>", "the address where people reach this service, https://…")
    .option("--app-version <version>", "Teams accepts another package only with a higher version", "1.0.0")
    .option("--out <file>", "the zip file to write", "jit-teams.zip")
    .action(async ({ appId, url, appVersion, out }: TeamsOptions) => {
      const zip = teamsPackage({
        appId: guid(appId),
        url: secureAddress(url, "Teams accepts https addresses only: use --url https://jit.company.com."),
        version: versionText(appVersion),
      });
      await writeFile(out, zip).catch((fault: unknown) => {
        throw misuse(`${out} cannot be written: ${fault instanceof Error ? fault.message : "unknown"}.`);
      });
      await io.out(`${out}\n`);
    });
}

interface TeamsOptions {
  readonly appId: string;
  readonly url: string;
  readonly appVersion: string;
  readonly out: string;
}

function guid(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text.toLowerCase();
  throw misuse("--app-id is the Application (client) ID, such as 11111111-2222-3333-4444-555555555555.");
}

function versionText(text: string): string {
  if (/^\d{1,4}(\.\d{1,4}){2}$/.test(text)) return text;
  throw misuse("--app-version is three numbers, such as 1.0.1.");
}

const slackAddress = "Slack accepts https addresses only: use --url https://jit.company.com, or --socket.";

/** An https address without a trailing slash. @throws Failure with `problem` for any other */
function secureAddress(text: string | undefined, problem: string): string {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" || url.search !== "" || url.hash !== "") throw misuse(problem);
  return url.href.replace(/\/+$/, "");
}
