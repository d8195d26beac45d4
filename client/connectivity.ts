/** Whether the machine has a network, where the platform says so: browsers do, Node does not. */

interface Platform {
  navigator?: { readonly onLine?: boolean };
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

const platform = globalThis as Platform;

export const isOffline = (): boolean => platform.navigator?.onLine === false;

/** Calls `listener` when the network goes or comes, until the returned function is called. */
export function onNetwork(change: 'online' | 'offline', listener: () => void): () => void {
  platform.addEventListener?.(change, listener);
  return () => platform.removeEventListener?.(change, listener);
}
