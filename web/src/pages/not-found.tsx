/** For an address that leads nowhere. */
import { Link } from 'wouter';
import { Heading } from '../parts/heading.tsx';
import { useTitle } from '../parts/title.ts';
import './sign-in.css';

export function NotFound({ what }: { what: string }) {
  useTitle('Not found');
  return (
    <main id="main" className="sign-in">
      <Heading className="sign-in__title">{what}</Heading>
      <p className="soft">It may have been deleted, or the address is not complete.</p>
      <p>
        <Link href="/">All videos</Link>
      </p>
    </main>
  );
}
