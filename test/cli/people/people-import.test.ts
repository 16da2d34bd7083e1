import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readConfigFile } from "../../../src/config/config-file.ts";
import { startFakeSlack, type FakeSlack } from "../../fakes/slack/fake-slack.ts";
import { temporaryFolder } from "../../support/leftover-processes.ts";
import { fakeService, refusal } from "../support/fake-service.ts";
import { jit } from "../support/run-jit.ts";

let slack: FakeSlack;
beforeEach(async () => {
  slack = await startFakeSlack();
});
afterEach(async () => {
  await slack.close();
});

const known = (name: string, more: object = {}) => ({
  id: `id_${name}`,
  kind: "HUMAN",
  email: `${name}@company.com`,
  name,
  managerId: null,
  groups: [],
  active: true,
  links: {},
  managedBy: "file",
  ...more,
});
const linkedTo = (userId: string) => ({ links: { slack: { teamId: slack.teamId, userId } } });
const member = (id: string, email: string | undefined, more: object = {}) =>
  slack.members.set(id, { real_name: id, profile: { email }, ...more });

const importing = async (people: readonly object[], ...args: readonly string[]) => {
  const service = await fakeService({ body: { data: people, nextCursor: null } });
  return jit(["people", "import", "--from", "slack", ...args], {
    url: service.url,
    environment: { SLACK_BOT_TOKEN: slack.botToken, SLACK_API_URL: `${slack.url}/api` },
  });
};
const rows = (out: string) => new Map(out.split("\n").map((line) => [/\bU0\w+/.exec(line)?.[0] ?? "", line]));

test("reports who is new, linkable, linked, or left to the operator and why; changes nothing", async () => {
  member("U0NEW", "new.one@company.com");
  member("U0LINK", "Link@Company.com");
  member("U0HAS", "has@company.com");
  member("U0OTHER", "other@company.com");
  member("U0BOT", "bot@company.com");
  member("U0OFF", "off@company.com");
  member("U0API", "api@company.com");
  member("U0TWO", "two@company.com");
  member("U0SILENT", undefined);
  member("U0UNSURE", "unsure@company.com", { is_email_confirmed: false });
  const people = [
    known("link"),
    known("has", linkedTo("U0HAS")),
    known("other", linkedTo("U0SOMEBODYELSE")),
    known("bot", { kind: "SERVICE" }),
    known("off", { active: false }),
    known("api", { managedBy: "api" }),
    known("two"),
    known("two_more", { email: "two@company.com" }),
  ];
  const { code, out, err } = await importing(people);
  expect(code).toBe(0);
  const said = rows(out);
  expect(said.get("U0NEW")).toMatch(/^new +id_new_one /);
  expect(said.get("U0LINK")).toMatch(/^link +id_link /);
  expect(said.get("U0HAS")).toMatch(/^linked +id_has /);
  expect(said.get("U0OTHER")).toMatch(/^left .*another account/);
  expect(said.get("U0BOT")).toMatch(/^left .*no human/);
  expect(said.get("U0OFF")).toMatch(/^left .*not active/);
  expect(said.get("U0API")).toMatch(/^left .*PATCH/);
  expect(said.get("U0TWO")).toMatch(/^left .*several identities/);
  expect(said.get("U0SILENT")).toMatch(/^left .*no confirmed address/);
  expect(said.get("U0UNSURE")).toMatch(/^left .*no confirmed address/);
  expect(said.get("U0SOMEBODYELSE")).toMatch(/^gone +id_other /);
  expect(err).toContain("Nothing was written");
  expect(out + err).not.toContain(slack.botToken);
});

test("guests, bots, deactivated members and people of other workspaces are ignored", async () => {
  member("U0GUEST", "guest@company.com", { is_restricted: true });
  member("U0GUEST2", "guest2@company.com", { is_ultra_restricted: true });
  member("U0BOT", "bot@company.com", { is_bot: true });
  member("U0GONE", "gone@company.com", { deleted: true });
  member("U0FAR", "far@company.com", { team_id: "T0OTHER" });
  member("USLACKBOT", "slackbot@company.com");
  const { out, err } = await importing([]);
  expect(out.trim().split("\n")).toHaveLength(1);
  expect(err).toContain("nothing to add");
});

test("its output is a valid configuration with everything known about the people", async () => {
  for (let index = 0; index < 450; index++) member(`U0N${index}`, `person.${index}@company.com`);
  member("U0SAME", "person-0@company.com", { real_name: 'O"Neill: [x] \u202E#\n' });
  member("U0LINK", "link@company.com");
  const file = join(temporaryFolder(), "people.yaml");
  const { code } = await importing(
    [known("link", { groups: ["dba", "oncall"], managerId: "id_lead" }), known("lead")],
    "--out",
    file,
  );
  expect(code).toBe(0);
  const text = readFileSync(file, "utf8");
  expect(text).not.toContain("\u202E");
  const read = readConfigFile(`${text}  - { id: id_lead, email: lead@company.com, name: Lead }\n`, file, {});
  if (!("ok" in read)) throw new Error(JSON.stringify(read.problems));
  expect(read.ok.identities).toHaveLength(453);
  expect(read.ok.identities.find((one) => one.id === "id_link")).toMatchObject({
    groups: ["dba", "oncall"],
    managerId: "id_lead",
    links: { slack: { teamId: slack.teamId, userId: "U0LINK" } },
  });
  expect(new Set(read.ok.identities.map((one) => one.id)).size).toBe(453);
  expect((await importing([], "--out", file)).code).toBe(2);
  expect(readFileSync(file, "utf8")).toBe(text);
});

test("a Slack refusal says what to do; a 429 is waited for as long as Slack says", async () => {
  slack.trouble = () => ({ error: "missing_scope" });
  const refused = await importing([]);
  expect(refused).toMatchObject({ code: 3, err: expect.stringContaining("update it from the manifest") });
  let calls = 0;
  slack.trouble = (method) =>
    method === "users.list" && ++calls === 1 ? { status: 429, retryAfter: 7 } : undefined;
  member("U0NEW", "new@company.com");
  const waited = await importing([]);
  expect(waited.code).toBe(0);
  expect(waited.pauses).toEqual([7_000]);
  slack.trouble = () => "cut";
  expect((await importing([])).code).toBe(5);
});

test("without a token, or without the scope to list people, it says so", async () => {
  const service = await fakeService(refusal(403, "missing_role", "This needs the role admin."));
  const args = ["people", "import", "--from", "slack"];
  const none = await jit(args, { url: service.url });
  expect(none).toMatchObject({ code: 2, err: expect.stringContaining("SLACK_BOT_TOKEN") });
  const environment = { SLACK_BOT_TOKEN: slack.botToken, SLACK_API_URL: `${slack.url}/api` };
  expect(await jit(args, { url: service.url, environment })).toMatchObject({
    code: 1,
    err: expect.stringContaining("role admin"),
  });
});
