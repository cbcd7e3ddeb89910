// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page pools as netlink shows them (since 6.8). There is nobody to show them to; the pools themselves are the tree's
 * net/core/page_pool.c.
 */
struct page_pool;

int page_pool_list(struct page_pool *pool);
int page_pool_list(struct page_pool *pool)
{
	return 0;
}

void page_pool_detached(struct page_pool *pool);
void page_pool_detached(struct page_pool *pool)
{
}

void page_pool_unlist(struct page_pool *pool);
void page_pool_unlist(struct page_pool *pool)
{
}
