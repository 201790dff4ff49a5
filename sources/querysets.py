from django.db import models


class OutletQuerySet(models.QuerySet):
    def get_by_natural_key(self, slug):
        return self.get(slug=slug)
