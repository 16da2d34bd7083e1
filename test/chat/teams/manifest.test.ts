import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import schema from "@microsoft/app-manifest/build/json-schemas/teams/v1.25/MicrosoftTeams.schema.json" with { type: "json" };
import Ajv from "ajv-draft-04";
import { unzipSync } from "fflate";
import { describe, expect, onTestFinished, test } from "vitest";
import { teamsManifest } from "../../../src/cli/manifests/teams-manifest.ts";
import { teamsPackage } from "../../../src/cli/manifests/teams-package.ts";
import { requestCommandId } from "../../../src/chat/teams/inbound/invokes.ts";
import { commandNames } from "../../../src/wording/parse-command.ts";
import { jit } from "../../cli/support/run-jit.ts";
import { drawIcons } from "../../../manifests/teams/draw-icons.ts";

const options = {
  appId: "11111111-2222-3333-4444-555555555555",
  url: "https://jit.company.com",
  version: "1.0.0",
};
const manifest = teamsManifest(options);

function problemsOf(value: object): unknown {
  const ajv = new Ajv.default({ strict: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile(schema);
  validate(JSON.parse(JSON.stringify(value)));
  return validate.errors;
}

describe("the manifest", () => {
  test("is valid by Microsoft's schema 1.25", () => {
    expect(problemsOf(manifest)).toBeNull();
    expect(manifest.manifestVersion).toBe("1.25");
  });

  test("is rejected by that schema when it has an error", () => {
    expect(problemsOf({ ...manifest, bots: [{ botId: "no guid", scopes: ["everywhere"] }] })).not.toBeNull();
    expect(problemsOf({ ...manifest, more: true })).not.toBeNull();
  });

  test("has the bot in all scopes, and the command that the code handles", () => {
    const [bot] = manifest.bots;
    expect(bot?.scopes).toEqual(["personal", "team", "groupChat"]);
    expect(manifest.composeExtensions[0]?.commands.map(({ id }) => id)).toEqual([requestCommandId]);
    expect([bot?.botId, manifest.composeExtensions[0]?.botId, manifest.id]).toEqual(
      Array.from({ length: 3 }, () => options.appId),
    );
  });

  test("lists existing commands, as many as Teams shows", () => {
    const [list] = manifest.bots[0]?.commandLists ?? [];
    expect(commandNames).toEqual(expect.arrayContaining(list?.commands.map(({ title }) => title) ?? []));
    expect(list?.commands.length).toBeLessThanOrEqual(10);
  });
});

describe("the package", () => {
  const files = unzipSync(teamsPackage(options));

  test("contains the manifest and the two icons, and nothing else", () => {
    expect(Object.keys(files).toSorted()).toEqual(["color.png", "manifest.json", "outline.png"]);
    expect(JSON.parse(new TextDecoder().decode(files["manifest.json"]))).toEqual(manifest);
  });

  test.each([
    ["color.png", 192],
    ["outline.png", 32],
  ] as const)("%s is a picture of %i by as many points", (name, size) => {
    const view = Buffer.from(files[name] ?? []);
    expect(view.subarray(1, 4).toString()).toBe("PNG");
    expect([view.readUInt32BE(16), view.readUInt32BE(20)]).toEqual([size, size]);
  });

  test("has the icons that draw-icons.ts draws", () => {
    const { color, outline } = drawIcons();
    expect(Buffer.from(files["color.png"] ?? []).equals(color)).toBe(true);
    expect(Buffer.from(files["outline.png"] ?? []).equals(outline)).toBe(true);
  });

  test("has the same bytes each time", () => {
    expect(Buffer.from(teamsPackage(options)).equals(Buffer.from(teamsPackage(options)))).toBe(true);
  });
});

describe("jit manifest teams", () => {
  test("writes the package", async () => {
    const folder = mkdtempSync(join(tmpdir(), "jit-teams-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const out = join(folder, "jit-teams.zip");
    const ran = await jit([
      "manifest",
      "teams",
      "--app-id",
      options.appId,
      "--url",
      "https://jit.company.com/",
      "--out",
      out,
    ]);
    expect(ran).toMatchObject({ out: `${out}\n`, code: 0 });
    expect(readFileSync(out).equals(Buffer.from(teamsPackage(options)))).toBe(true);
  });

  test.each([
    ["an app id that is none", ["--app-id", "my-bot", "--url", options.url]],
    ["plain http", ["--app-id", options.appId, "--url", "http://jit.company.com"]],
    ["a version that is none", ["--app-id", options.appId, "--url", options.url, "--app-version", "two"]],
    [
      "a folder that is not there",
      ["--app-id", options.appId, "--url", options.url, "--out", "/nowhere/at/all.zip"],
    ],
  ])("explains what is wrong with %s", async (_, wrong) => {
    expect(await jit(["manifest", "teams", ...wrong])).toMatchObject({ code: 2, out: "" });
  });
});
