"""From a built front end to what CloudFront serves: content-addressed, and never a page before what it names.

``manifest``  the files of one build with their digests, types and cache headers; its id. Pure
``types``     which content type a file has. Pure
``changes``   what to copy in which order, what to remove, what to invalidate. Pure
``live``      what a bucket says is live, and the configuration file. Pure
``build``     running ``site.build`` on the files of one git revision
``bucket``    the bucket as a place of builds: content, manifests, what is live
``upload``    bringing a build to the bucket, from this machine or from another environment's
``publish``   putting a build live, and the one before it back

In the bucket ``blobs/<sha256>`` has every content once and ``builds/<id>.json`` the manifests; ``live/`` is what
CloudFront serves. ``live.json`` says which build is live as a whole, and is written last.
"""
