/** What stands around every page, and which page an address shows. */
import { lazy, Suspense } from 'react';
import { Route, Switch } from 'wouter';
import { Home } from './pages/home.tsx';
import { NotFound } from './pages/not-found.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { Announcer } from './parts/announcer.tsx';
import { Header } from './parts/header.tsx';
import { ReachBanner } from './parts/reach-banner.tsx';
import { session } from './state/session.ts';
import { useStore } from './state/store.ts';

const JobPage = lazy(() => import('./pages/job.tsx'));

export function App() {
  return (
    <>
      <ReachBanner />
      <Header />
      <Page />
      <Announcer />
    </>
  );
}

function Page() {
  const { mode, role } = useStore(session);
  if (mode === 'unknown') return <main id="main" aria-busy="true" />;
  if (role === null) return <SignIn />;
  return (
    <Suspense fallback={<main id="main" aria-busy="true" />}>
      <Switch>
        <Route path="/" component={Home} />
        <Route path="/jobs/:id">{({ id }) => <JobPage key={id} id={id.toLowerCase()} />}</Route>
        <Route>
          <NotFound what="There is no such page" />
        </Route>
      </Switch>
    </Suspense>
  );
}
