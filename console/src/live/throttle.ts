/**
 * A function that runs at once, and at most every `msMin` after that: calls in between are joined
 * into one at the end of the wait, so the last change is never missed.
 */
export function throttled(run: () => void, msMin: number): () => void {
  let waiting = false;
  let again = false;
  const start = () => {
    waiting = true;
    again = false;
    run();
    setTimeout(() => {
      waiting = false;
      if (again) start();
    }, msMin);
  };
  return () => {
    if (waiting) again = true;
    else start();
  };
}
