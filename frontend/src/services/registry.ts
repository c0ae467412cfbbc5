/** What is special about a service: one file in `parts/`, named for its application. */
import type { ComponentType } from "preact";
import type { Decision, Party } from "../api/types";

export interface PartProps {
  party: Party;
  /** The newest one. */
  decision: Decision;
}

export type Part = ComponentType<PartProps>;

const FILES = import.meta.glob<{ default: Part }>("./parts/*.tsx", { eager: true });

/** Null: the page of this service has the common parts alone. */
export function partOf(application: string): Part | null {
  return FILES[`./parts/${application}.tsx`]?.default ?? null;
}
