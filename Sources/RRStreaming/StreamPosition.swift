internal import RRDatasets
internal import RRFormats

/// A place in a stream: what comes next, for all ranks together.
///
/// Between batches it is all that a stream remembers, so a stream that starts from here goes on as if it had never
/// stopped. It counts in the global order, which does not depend on the number of ranks.
public struct StreamPosition: Hashable, Sendable {
    /// The epoch, from 0.
    public let epoch: Int
    /// The number of positions of the epoch's order that have been given to any rank.
    public let position: Int

    public init(epoch: Int, position: Int) {
        self.epoch = epoch
        self.position = position
    }

    /// Before the first batch.
    public static let beginning = StreamPosition(epoch: 0, position: 0)

    /// - Throws: `DatasetError` with the code `valueOutOfRange` where this is no place of a stream of so many epochs, each
    ///   of so many positions.
    func check(epochs: Int, positionCount: Int) throws(DatasetError) {
        let isInside = 0..<epochs ~= epoch && (position == 0 || 0..<positionCount ~= position)
        guard isInside || (epoch == epochs && position == 0) else {
            throw DatasetError(
                .valueOutOfRange, path: "",
                "position \(position) of epoch \(epoch) is not in the stream, which has \(epochs) epochs of "
                    + "\(positionCount) positions")
        }
    }
}
