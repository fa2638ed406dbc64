import RRStreaming

/// What a batch holds, to compare.
struct BatchContent: Equatable {
    let images: [Float]
    let storedImages: [UInt8]
    let labels: [Int64]
    let indices: [Int64]
    let masks: [UInt8]
    let annotated: [Bool]
    let next: StreamPosition

    init(_ batch: Batch) {
        (images, storedImages, labels) = (Array(batch.images), Array(batch.storedImages), Array(batch.labels))
        (indices, masks, annotated) = (Array(batch.indices), Array(batch.masks), Array(batch.annotated))
        next = batch.next
    }
}
