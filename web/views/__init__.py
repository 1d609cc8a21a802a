"""What each page shows: plain values from the stores, ready for the templates. No HTML here, no SQL."""
