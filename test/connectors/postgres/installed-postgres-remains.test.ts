import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { testPostgresRemains } from "./postgres-remains.ts";
import { installedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
testPostgresRemains(installedPostgres());
