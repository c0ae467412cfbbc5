/** What the node refused and why, with the next step that it names. */
import type { ApiError } from "../api/client";
import { t } from "../words";

export function Failure({ error }: { error: ApiError | null }) {
  if (!error) return null;
  const reasons = error.errors.length > 0 ? error.errors : null;
  return (
    <div class="notice critical" role="alert">
      {reasons ? (
        <ul>
          {reasons.map((one, i) => (
            <li key={i}>
              {one.value && <code>{one.value}</code>} {one.reason}
              {one.next && <span class="quiet"> {t("failure.next", { next: one.next })}</span>}
            </li>
          ))}
        </ul>
      ) : error.status === 0 ? t("failure.unreached") : t("failure.status", { status: error.status })}
    </div>
  );
}
