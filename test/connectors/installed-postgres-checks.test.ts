import { leavesNothingBehind } from "../support/left-behind.ts";
import { checksToTheEnd } from "./postgres-checks.ts";
import { installedPostgres } from "./support/postgres-server.ts";

leavesNothingBehind();
checksToTheEnd(installedPostgres());
