/**
 * The steps to an order by the name that is kept, with those that Google's and Shopify's events, Segment's specification
 * and Klaviyo's snippets have for them. Spellings of one name need not be listed (event-names.ts).
 */
export const storefrontNames: Readonly<Record<string, readonly string[]>> = {
  'Product Viewed': ['view item', 'viewed product', 'product detail viewed'],
  'Collection Viewed': ['view item list', 'product list viewed', 'category viewed', 'viewed collection'],
  'Products Searched': ['search', 'search submitted', 'view search results', 'product searched'],
  'Added to Cart': ['add to cart', 'product added', 'product added to cart', 'added product to cart'],
  'Removed from Cart': ['remove from cart', 'product removed', 'product removed from cart'],
  'Cart Viewed': ['view cart', 'viewed cart'],
  'Added to Wishlist': ['add to wishlist', 'product added to wishlist'],
  'Checkout Started': ['begin checkout', 'started checkout', 'initiate checkout', 'initiated checkout'],
  'Payment Info Entered': ['add payment info', 'payment info submitted', 'payment info added'],
  'Order Completed': ['purchase', 'purchased', 'checkout completed', 'order placed', 'placed order'],
  'Order Refunded': ['refund', 'refunded order'],
};
