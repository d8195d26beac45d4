/** The first page: where videos come in, and what has become of those that came. */
import { DropZone } from '../parts/drop-zone.tsx';
import { Heading } from '../parts/heading.tsx';
import { JobList } from '../parts/job-list.tsx';
import { useTitle } from '../parts/title.ts';
import { UploadList } from '../parts/upload-list.tsx';
import { maySubmit, session } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { useUploadPercent } from '../state/uploads.ts';
import './home.css';

export function Home() {
  const percent = useUploadPercent();
  useTitle(percent === null ? null : `Uploading ${percent} %`);
  return (
    <main id="main" className="home">
      <div className="home__top">
        <Heading className="home__title">
          Upload a video. <span className="home__second soft">Watch it become a stream.</span>
        </Heading>
        {maySubmit(useStore(session)) && <DropZone />}
        <UploadList />
      </div>
      <JobList />
    </main>
  );
}
