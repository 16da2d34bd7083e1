import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { findsWhatRemains } from "./postgres-remains.ts";
import { installedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
findsWhatRemains(installedPostgres());
