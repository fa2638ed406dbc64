internal import Synchronization

extension Mutex where Value == () {
    /// Runs a body that throws a typed error, one at a time.
    func withLockTyped<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result
    {
        let outcome: Swift.Result<Result, Failure> = withLock { _ in
            do throws(Failure) {
                return .success(try body())
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
