import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { testPostgresInterruptions } from "./postgres-interruptions.ts";
import { installedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
testPostgresInterruptions(installedPostgres());
