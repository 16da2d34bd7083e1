import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { testPostgresBehaviour } from "./postgres-behaviour.ts";
import { installedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
testPostgresBehaviour(installedPostgres());
