import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { testPostgresRemains } from "./postgres-remains.ts";
import { embeddedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
testPostgresRemains(embeddedPostgres());
