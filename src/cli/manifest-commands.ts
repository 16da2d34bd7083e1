import { Option, type Command } from "commander";
import { misuse } from "./failure.ts";
import type { Cli } from "./session.ts";
import { slackManifest } from "./slack-manifest.ts";

/** What a chat platform has to be told of the app, for the operator's own address. Needs no key and asks nobody. */
export function addManifestCommands(program: Command, { outside }: Cli): void {
  const manifest = program.command("manifest").summary("make what a chat platform wants to install the app");
  manifest
    .command("slack")
    .summary("print the app manifest for Slack, as JSON")
    .option("--url <url>", "where Slack reaches this service, https://…; not needed with --socket")
    .addOption(new Option("--socket", "for socket mode: this service calls Slack, nothing calls it"))
    .action(async ({ url, socket = false }: { readonly url?: string; readonly socket?: boolean }) => {
      const manifestOf = socket
        ? slackManifest({ mode: "socket", url: "" })
        : slackManifest({ mode: "http", url: secureAddress(url) });
      await outside.out(`${JSON.stringify(manifestOf, undefined, 2)}\n`);
    });
}

/** Without a slash at its end. */
function secureAddress(text: string | undefined): string {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" || url.search !== "" || url.hash !== "") {
    throw misuse("Slack calls https addresses only: say --url https://jit.company.com, or --socket.");
  }
  return url.href.replace(/\/+$/, "");
}
