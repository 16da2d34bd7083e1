import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { staysWholeOnPostgres } from "./postgres-interruptions.ts";
import { installedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
staysWholeOnPostgres(installedPostgres());
