/** The heading of a page. Who comes to it by a link is brought to it, so that a screen reader says where one is. */
import { type ReactNode, useEffect, useRef } from 'react';

let isFirst = true;

export function Heading({ className, children }: { className: string; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1} className={className}>
      {children}
    </h1>
  );
}
