using Tunnel.Ctl.Check.Setting;

namespace Tunnel.Ctl.TuneLoop;

/// <summary>
/// A knob that is set otherwise for as long as this lives. What undoes it is on the disk before anything is changed, and stays there if this
/// process is killed; every other end undoes it, the runtime's own exit included.
/// </summary>
internal sealed class HeldChange : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Tuning _tuning;
    private readonly string _undoPath;
    private AppliedTuning? _applied;

    private HeldChange(Tuning tuning, string undoPath)
    {
        _tuning = tuning;
        _undoPath = undoPath;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    /// <summary>What was set.</summary>
    public IReadOnlyList<Change> Changes { get; private set; } = [];

    /// <summary>What could not be undone; empty before <see cref="Dispose"/>, and when all could be.</summary>
    public IReadOnlyList<string> Problems { get; private set; } = [];

    /// <exception cref="TuningException">The undo file cannot be written, or the kernel refuses the value; nothing is changed then.</exception>
    public static HeldChange Apply(Tuning tuning, PlannedChange planned, string undoPath)
    {
        UndoFile.Of(tuning.Context, [new Change(planned.Name, planned.Before, planned.After, null)], []).Create(undoPath);
        var held = new HeldChange(tuning, undoPath);
        try
        {
            held.Set(planned);
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Leaves the change as it is: from now on the file undoes it, and nothing else.</summary>
    public void Keep()
    {
        lock (_lock)
            _applied = null;
    }

    /// <summary>Undoes it, once; the file goes when there is nothing left for it to undo.</summary>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        Undo();
    }

    private void Set(PlannedChange planned)
    {
        lock (_lock)
        {
            _applied = _tuning.Apply([planned]);
            Changes = _applied.Changes;
            UndoFile.Of(_tuning.Context, Changes, []).Replace(_undoPath);
        }

        if (Changes is [{ Problem: { } problem }])
            throw new TuningException($"{planned.Name}: {problem}");
    }

    private void OnExit(object? sender, EventArgs e) => Undo();

    private void Undo()
    {
        lock (_lock)
        {
            if (_applied is null)
                return;
            Problems = [.. _applied.Revert().Where(c => c.Problem is not null).Select(c => $"{c.Name} could not be set back: {c.Problem}")];
            _applied = null;
            if (Problems.Count == 0)
                RemoveFile();
        }
    }

    private void RemoveFile()
    {
        try
        {
            File.Delete(_undoPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has nothing to undo any more, so that it stays, or its folder is gone, hurts nobody.
        }
    }
}
