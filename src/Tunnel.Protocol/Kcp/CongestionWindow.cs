namespace Tunnel.Protocol.Kcp;

/// <summary>
/// KCP's congestion window, in segments: slow start, linear growth, halving on a passed-by segment, one on a timeout. Switched off
/// (<c>nocongestion</c>) it limits nothing.
/// </summary>
internal struct CongestionWindow
{
    private const int MinimumThreshold = 2;

    private readonly bool _isOn;
    private readonly int _segmentSize;
    private int _threshold;
    private int _bytes;

    public CongestionWindow(int segmentSize, bool isOn)
    {
        _isOn = isOn;
        _segmentSize = segmentSize;
        _threshold = MinimumThreshold;
        _bytes = segmentSize;
        Segments = isOn ? 1 : int.MaxValue;
    }

    public int Segments { get; private set; }

    public void OnAdvance(int remoteWindow)
    {
        if (Segments >= remoteWindow)
            return;
        if (Segments < _threshold)
        {
            Segments++;
            _bytes += _segmentSize;
        }
        else
        {
            _bytes = Math.Max(_bytes, _segmentSize);
            _bytes += _segmentSize * _segmentSize / _bytes + _segmentSize / 16;
            if ((Segments + 1) * _segmentSize <= _bytes)
                Segments = (_bytes + _segmentSize - 1) / _segmentSize;
        }

        if (Segments > remoteWindow)
        {
            Segments = remoteWindow;
            _bytes = remoteWindow * _segmentSize;
        }
    }

    public void OnPassedBy(int inFlight, int resend)
    {
        if (!_isOn)
            return;
        _threshold = Math.Max(inFlight / 2, MinimumThreshold);
        Segments = _threshold + resend;
        _bytes = Segments * _segmentSize;
    }

    public void OnTimeout()
    {
        if (!_isOn)
            return;
        _threshold = Math.Max(Segments / 2, MinimumThreshold);
        Segments = 1;
        _bytes = _segmentSize;
    }
}
