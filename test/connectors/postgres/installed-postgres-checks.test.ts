import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { testPostgresChecks } from "./postgres-checks.ts";
import { installedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
testPostgresChecks(installedPostgres());
