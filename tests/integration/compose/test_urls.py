"""x-pgo: {urls: …} by pgod-work: what is asked for is judged before anything is touched, and told of what runs."""

import json

import scene
from scene import compose, harness, service, web


class Urls(scene.ComposeTest):
    user_name = "pgcurls"

    def files(self, port, urls, **more):
        urls = urls if isinstance(urls, str) else json.dumps(urls)
        return {"compose.yaml": compose(web=web(port, **more)) + f"x-pgo: {{urls: {urls}}}\n"}

    def test_names_that_were_given_are_told_and_others_rejected(self):
        port = harness.free_port()
        svc = self.service(domains=["*.apps.org"], taken=["held.apps.org"], ports=[(port, port)])
        first = self.good(svc.deploy(self.files(port, {"Blog.apps.org": f":{port}"})), changed=True)
        self.assertEqual(first.urls, {"blog.apps.org": port})
        ids = svc.ids()
        for urls, problem in (({"blog.other.org": f":{port}"}, 'domains = ["*.other.org"]'),
                              ({"blog.apps.org": f":{port + 1}"}, f'ports = ["{port + 1}/0"]'),
                              ({"held.apps.org": f":{port}"}, "belongs to another service"),
                              ({"blog.apps.org": port}, 'not "int"'), ([f":{port}"], "and not a list"),
                              ({"blog.apps.org; }": f":{port}"}, "is not a DNS name"),
                              ('{"${HOME}": ":1"}', "is not a DNS name"),
                              ({f"n{i}.apps.org": f":{port}" for i in range(65)}, "more than 64 urls")):
            with self.subTest(problem=problem):
                result = svc.deploy(self.files(port, urls))
                self.rejected(result, problem)
                self.assertEqual(result.urls, {"blog.apps.org": port})
        self.assertEqual(svc.ids(), ids)
        self.assertEqual(svc.do("observe").urls, {"blog.apps.org": port})

    def test_what_does_not_start_leaves_the_names_of_what_runs(self):
        port = harness.free_port()
        svc = self.service(domains=["*.apps.org"], ports=[(port, port)])
        self.good(svc.deploy(self.files(port, {"a.apps.org": f":{port}"})), changed=True)
        failed = svc.deploy({"compose.yaml": compose(web=service(command="false")) +
                             f'x-pgo: {{urls: {{"b.apps.org": ":{port}"}}}}\n'})
        self.assertEqual((failed.outcome, failed.urls), ("rolled_back", {"a.apps.org": port}))
        self.good(svc.deploy({"compose.yaml": compose(web=web(port))}), changed=True)
        self.assertEqual(svc.do("observe").urls, {})


if __name__ == "__main__":
    scene.main()
