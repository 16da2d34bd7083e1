import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { testPostgresChecks } from "./postgres-checks.ts";
import { embeddedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
testPostgresChecks(embeddedPostgres());
